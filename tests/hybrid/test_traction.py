"""Tractions beside free faces: the two stresses add up to the traction, and the second one is in equilibrium."""

import numpy as np
import pytest

from vcycle.hybrid.symmetric_stress import SymmetricStress
from vcycle.hybrid.traction import held_values, quadrature, second_derivatives, size_at_corners
from vcycle.spaces import Domain

BEAM = Domain([2.0, 1.0], [("dirichlet", "neumann"), "neumann"])


def test_the_second_stress_is_what_the_first_leaves_of_the_traction():
    space = SymmetricStress(BEAM, (6, 10))
    normal, shear, _ = space.parts(held_values(space, (0.3, -2.0))[None])
    assert np.array_equal(normal[0, -1], np.full(10, 0.3))
    q = np.linspace(0, 10, 201)
    of_cells = np.interp(q, np.arange(11), shear[0, -1])
    at_corners = sum(second_derivatives(np.zeros_like(q), side)[1] for side in (q, q[::-1]))
    np.testing.assert_allclose(of_cells - 2.0 * at_corners, -2.0, atol=1e-14)


def test_the_second_stress_leaves_the_free_face_and_the_body_around_alone():
    p = np.linspace(0.05, 2, 40)
    pp, pq, _ = second_derivatives(p, np.full(40, 1e-13))
    np.testing.assert_allclose([pp, pq], 0, atol=1e-12)
    q = np.linspace(0, 6, 61)
    _, pq, qq = second_derivatives(np.full(61, 2.0), q)
    np.testing.assert_allclose([pq, qq], 0, atol=1e-15)
    far = second_derivatives(p, p + 2 + 1e-9)
    np.testing.assert_allclose(far, 0, atol=1e-8)


@pytest.mark.parametrize("powers", [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2)])
def test_the_work_of_the_second_stress_is_that_of_its_traction(powers):
    """sum over the cells of sigma : eps(w) = integral of Gamma'' w_q over p = 0 for w = p^i q^j along p, or along q."""
    i, j = powers
    p, q, weight = quadrature()
    pp, pq, qq = second_derivatives(p, q)
    along_p, along_q = i * p ** max(i - 1, 0) * q**j, j * p**i * q ** max(j - 1, 0)
    np.testing.assert_allclose((weight * (qq * along_p - pq * along_q)).sum(), 0, atol=1e-13)
    x, w = np.polynomial.legendre.leggauss(4)
    y = np.concatenate([(x + 1) / 2, (x + 3) / 2])
    on_face = (np.tile(w / 2, 2) * second_derivatives(0 * y, y)[1] * 0.0**i * y**j).sum()
    np.testing.assert_allclose((weight * (pp * along_q - pq * along_p)).sum(), on_face, atol=1e-13)


def test_its_size_is_that_of_the_stress_and_falls_with_the_cells():
    """Where lambda = 0 it is ||sigma|| / (2 mu)^(1/2); halving cells halves it, whatever their aspect."""
    sizes = []
    for shape in ((4, 8), (8, 16)):
        one = np.ones((1, *shape))
        sizes.append(size_at_corners(SymmetricStress(BEAM, shape), -3.0, 0 * one, one / 2)[0])
    p, q, weight = quadrature()
    pp, pq, qq = second_derivatives(p, q)
    scale = (1 / 8) / (2 / 4)
    square = (weight * ((scale * pp) ** 2 + 2 * pq**2 + (qq / scale) ** 2)).sum() / 16
    assert sizes[0] == pytest.approx(2 * 3.0 * square**0.5)
    assert sizes[1] == pytest.approx(sizes[0] / 2)


def test_without_room_for_it_grids_are_refused():
    one = np.ones((1, 4, 3))
    with pytest.raises(ValueError, match="refine the grid"):
        size_at_corners(SymmetricStress(BEAM, (4, 3)), 1.0, one, one)
