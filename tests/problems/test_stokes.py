"""Stokes flow: second order, no divergence in any cell, gradients at rest, energy, symmetry of the driven cavity."""

import math

import pytest
import torch

from vcycle.operators.staggered import divergence, from_centres, minus_laplacian, to_faces
from vcycle.problems import Stokes
from vcycle.spaces import L2, Domain, Grid


@pytest.mark.parametrize(
    ("domain", "n"), [(Domain.unit(2), 32), (Domain([1.0, 2.0]), 32), (Domain([1.0, 0.8, 1.2]), 10)]
)
def test_second_order_for_velocity_and_pressure(domain, n):
    P, d, errors = Stokes(domain, viscosity=0.1), domain.dimension, []
    for m in (n, 2 * n):
        f, u = P.manufactured((m,) * d)
        value = P.solve(f).value
        errors.append([float(L2(domain).relative(value[:, part], u[:, part])) for part in (slice(d), slice(d, None))])
    for coarse, fine in zip(*errors, strict=True):
        assert math.log2(coarse / fine) == pytest.approx(2.0, abs=0.1 if d == 2 else 0.2)


@pytest.mark.parametrize("problem", [Stokes(), Stokes(Domain([2.0, 1.0]), drive="lid"), Stokes(Domain.unit(3))])
def test_no_cell_gains_or_loses_fluid_and_walls_hold(problem):
    shape = (16, 12, 10)[: problem.domain.dimension]
    inputs = problem.sample(shape, 0, range(2))
    u = problem.solve(inputs).value
    velocity, left = from_centres(u[:, :-1])
    spacing = Grid(problem.domain, shape).spacing
    size = max(float(v.abs().max()) for v in velocity)
    assert float(divergence(velocity, spacing).abs().max()) < 1e-8 * size / min(spacing)
    assert max(float(v.abs().max()) for v in left) < 1e-11 * size
    assert float(u[:, -1].flatten(1).mean(1).abs().max()) < 1e-12


def test_a_gradient_moves_nothing_and_is_the_pressure():
    P = Stokes()
    x, y = Grid(P.domain, (24, 24)).mesh()
    f = torch.stack([y, x])[None]  # grad (x y); the means of f on faces are its values there
    u = P.solve(f).value
    assert float(u[:, :2].abs().max()) < 1e-9
    torch.testing.assert_close(u[0, 2], x * y - (x * y).mean(), rtol=1e-8, atol=1e-9)


def test_the_power_of_the_force_is_dissipated():
    """(f, u) = nu ||grad u||^2."""
    P = Stokes()
    f = P.sample((24, 24), 1, [0])
    velocity = from_centres(P.solve(f).value[:, :2])[0]
    spacing = Grid(P.domain, (24, 24)).spacing
    power = sum(float((a * b).sum()) for a, b in zip(to_faces(f), velocity, strict=True))
    drag = minus_laplacian(velocity, spacing)
    lost = P.viscosity * sum(float((a * b).sum()) for a, b in zip(velocity, drag, strict=True))
    assert power == pytest.approx(lost, rel=1e-7)


def test_viscosity_scales_the_flow_of_a_force_and_the_pressure_under_a_lid():
    f = Stokes().sample((16, 16), 0, [0])
    slow, fast = (Stokes(viscosity=nu).solve(f).value for nu in (1.0, 0.1))
    torch.testing.assert_close(fast[:, :2], 10 * slow[:, :2])
    torch.testing.assert_close(fast[:, 2], slow[:, 2], rtol=1e-7, atol=1e-7)
    lid = Stokes(drive="lid").sample((16, 16), 0, [0])
    slow, fast = (Stokes(viscosity=nu, drive="lid").solve(lid).value for nu in (1.0, 0.1))
    torch.testing.assert_close(fast[:, :2], slow[:, :2], rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(fast[:, 2], slow[:, 2] / 10, rtol=1e-7, atol=1e-7)


def test_a_symmetric_lid_drives_one_vortex_that_is_its_own_mirror_image():
    P = Stokes(drive="lid")
    x = Grid(P.domain, (32, 32)).mesh()[0]
    u = P.solve((16 * x**2 * (1 - x) ** 2)[None, None]).value[0]
    torch.testing.assert_close(u[0], u[0].flip(0), rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(u[1], -u[1].flip(0), rtol=1e-7, atol=1e-8)
    assert bool((u[0, 8:24, -1] > 0.3).all() and (u[0, 8:24, 8] < 0).all())
    assert float(u[0].sum(1).abs().max()) < 1e-9  # as much fluid returns below as the lid drags along


def test_fields_that_are_no_flow_have_large_residuals():
    P = Stokes()
    f = P.sample((16, 16), 0, [0])
    u = P.solve(f).value
    noise = torch.randn(u.shape, dtype=torch.float64, generator=torch.manual_seed(0))
    assert float(P.residual(f, u + 1e-3 * u.std() * noise)) > 1e-2
    assert float(P.residual(f, torch.zeros_like(u))) == pytest.approx(1.0)


def test_impossible_problems_are_refused_with_a_sentence():
    for boundary in ("periodic", ["dirichlet", "neumann"]):
        with pytest.raises(ValueError, match="needs walls on all sides"):
            Stokes(Domain.unit(2, boundary))
    with pytest.raises(ValueError, match="two or three dimensions"):
        Stokes(Domain.unit(1))
    with pytest.raises(ValueError, match="positive viscosity"):
        Stokes(viscosity=0.0)
