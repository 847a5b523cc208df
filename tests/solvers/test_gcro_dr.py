"""GCRO-DR: GMRES without recycling, exact directions with it, and true residuals always."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg

from vcycle.problems.assembled import assemble
from vcycle.solvers import chain, gcro_dr
from vcycle.solvers.gcro_dr import _Space
from vcycle.spaces import Domain


def systems(kind: str, count: int, n: int = 16) -> list[tuple[sp.csc_array, np.ndarray]]:
    """Related systems: diffusion, convection-diffusion, or waves that an absorbing layer damps."""
    noise = np.random.default_rng(1)
    out = []
    for i in range(count):
        a = np.exp(0.3 * np.sin(np.arange(n) / 3 + 0.05 * i))[:, None] * np.ones((n, n))
        A = sp.csc_array(assemble(a, Domain.unit(2)))
        if kind == "convection":
            A = A + sp.diags_array([np.full(n * n - 1, 0.4), np.full(n * n - 1, -0.4)], offsets=[1, -1])
        if kind == "waves":
            A = A - sp.diags_array((0.6 + 0.01 * i + 0.05j) * np.ones(n * n))
        out.append((sp.csc_array(A), noise.standard_normal(n * n).astype(A.dtype)))
    return out


KINDS = ["diffusion", "convection", "waves"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_solution_is_that_of_a_direct_solver(kind):
    for A, b in systems(kind, 2):
        found = gcro_dr(A.__matmul__, b, restart=20, recycled=8, tolerance=1e-10)
        exact = scipy.sparse.linalg.spsolve(A, b)
        assert found.converged
        assert np.linalg.norm(b - A @ found.value) / np.linalg.norm(b) == pytest.approx(found.residual, rel=1e-3)
        assert np.linalg.norm(found.value - exact) < 1e-7 * np.linalg.norm(exact)


@pytest.mark.parametrize("kind", KINDS)
def test_without_recycling_it_is_restarted_gmres(kind):
    """Three cycles of 10, none of which meets the tolerance."""
    ((A, b),) = systems(kind, 1)
    own = gcro_dr(A.__matmul__, b, restart=10, recycled=0, tolerance=1e-13, most=30)
    theirs, _ = scipy.sparse.linalg.gmres(A, b, restart=10, maxiter=3, rtol=1e-13)
    np.testing.assert_allclose(own.value, theirs, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_recycled_directions_have_orthonormal_images(kind):
    (A, b), (B, _) = systems(kind, 2)
    Y = gcro_dr(A.__matmul__, b, restart=20, recycled=8).space
    assert Y.shape[1] in (7, 8)  # 7 where a pair of conjugates did not fit
    for matrix in (A, B):
        at = _Space.of(matrix.__matmul__, Y)
        np.testing.assert_allclose(matrix @ at.U, at.C, atol=1e-12)
        np.testing.assert_allclose(at.C.conj().T @ at.C, np.eye(Y.shape[1]), atol=1e-12)


def test_with_all_directions_of_a_small_system_the_next_solve_is_free():
    A = np.diag(np.arange(1.0, 13)) + 0.1
    first = gcro_dr(A.__matmul__, np.ones(12), restart=12, recycled=11, tolerance=1e-12)
    again = gcro_dr(A.__matmul__, np.ones(12), space=first.space, restart=12, recycled=11, tolerance=1e-10)
    assert again.converged
    assert again.products <= 11 + 3  # the images of the space, a step, and the true residual


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_handed_on_saves_products(kind):
    cold = handed = 0
    space = None
    for A, b in systems(kind, 6):
        cold += gcro_dr(A.__matmul__, b, restart=20, recycled=0).products
        found = gcro_dr(A.__matmul__, b, space=space, restart=20, recycled=10)
        space, handed = found.space, handed + found.products
        assert found.converged
    assert handed < 0.8 * cold


def test_a_preconditioner_from_the_right_leaves_residuals_true():
    ((A, b),) = systems("convection", 1)
    factor = scipy.sparse.linalg.spilu(A, drop_tol=1e-2)
    found = gcro_dr(A.__matmul__, b, M=factor.solve, tolerance=1e-10)
    assert found.converged and found.products < gcro_dr(A.__matmul__, b, tolerance=1e-10).products / 2
    assert np.linalg.norm(b - A @ found.value) <= 2e-10 * np.linalg.norm(b)


def test_it_says_when_it_has_not_converged():
    ((A, b),) = systems("waves", 1, n=32)
    found = gcro_dr(A.__matmul__, b, restart=10, recycled=4, tolerance=1e-12, most=20)
    assert not found.converged and found.residual > 1e-12
    assert gcro_dr(A.__matmul__, 0 * b).converged


def test_more_directions_than_steps_are_refused():
    with pytest.raises(ValueError, match="hands on fewer directions than that, got recycled=10"):
        gcro_dr(lambda v: v, np.ones(3), restart=10, recycled=10)


def test_a_chain_visits_all_and_is_shorter_than_chance():
    points = np.random.default_rng(0).standard_normal((40, 3))

    def length(order: list[int]) -> float:
        return float(np.linalg.norm(np.diff(points[order], axis=0), axis=1).sum())

    order = chain(points)
    assert sorted(order) == list(range(40)) and order[0] == 0
    assert length(order) < 0.6 * length(list(range(40)))
    assert chain(points[:0]) == []
