import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.operators import FiniteVolume, geometric_multigrid, of_samples
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain


def system(D, shape, prior="two_phase", batch=3):
    a = PRIORS[prior].sample(D, shape, 7, range(batch))
    A = FiniteVolume.assemble(a, D)
    f = torch.randn(a.shape, dtype=a.dtype, generator=torch.Generator().manual_seed(1))
    if D.floating:
        f = f - f.mean(tuple(range(1, f.ndim)), keepdim=True)
    return A, f


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(100,), (24, 24), (8, 8, 8)])
def test_agrees_with_dense_elimination(boundary, shape):
    D = domain(len(shape), boundary)
    A, f = system(D, shape)
    solution = conjugate_gradients(A, f, geometric_multigrid(A), floating=D.floating, tolerance=1e-11)
    exact = (torch.linalg.pinv(A.dense(), hermitian=True) @ f.flatten(1)[..., None]).view_as(f)
    u = solution.value
    if D.floating:
        u, exact = (w - w.mean(tuple(range(1, w.ndim)), keepdim=True) for w in (u, exact))
    assert bool(solution.converged.all())
    assert float((u - exact).abs().max()) < 1e-8 * float(exact.abs().max())


@pytest.mark.parametrize("n", [64, 128, 256])
def test_iterations_do_not_grow_with_the_grid(n):
    D = Domain.unit(2)
    A = FiniteVolume.assemble(PRIORS["two_phase"].sample(D, (n, n), 1, range(2)), D)
    f = torch.ones(2, 1, n, n, dtype=torch.float64)
    assert 6 <= conjugate_gradients(A, f, geometric_multigrid(A), tolerance=1e-8).iterations <= 12


@pytest.mark.parametrize("n", [64, 128, 256])
def test_contrast_of_a_million_takes_at_most_thirty(n):
    D = Domain.unit(2)
    A = FiniteVolume.assemble(PRIORS["contrast 1e6"].sample(D, (n, n), 1, range(4)), D)
    f = torch.ones(4, 1, n, n, dtype=torch.float64)
    solution = conjugate_gradients(A, f, geometric_multigrid(A), weight=1 / A.diagonal, tolerance=1e-8)
    assert bool(solution.converged.all())
    assert solution.iterations <= 30


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_contrast_of_a_million_takes_at_most_thirty_at_every_boundary(boundary):
    D = domain(2, boundary, (1.0, 1.0))
    A, f = system(D, (64, 64), "contrast 1e6", batch=8)
    solution = conjugate_gradients(
        A, f, geometric_multigrid(A), weight=1 / A.diagonal, floating=D.floating, tolerance=1e-8
    )
    assert bool(solution.converged.all())
    assert solution.iterations <= 30


def test_a_single_precision_cycle_serves_a_double_precision_solution():
    A, f = system(Domain.unit(2), (32, 32))
    solution = conjugate_gradients(A, f, geometric_multigrid(A.to_dtype(torch.float32)), tolerance=1e-12)
    assert bool(solution.converged.all())
    assert float((f - A(solution.value)).norm() / f.norm()) < 1e-12


def test_the_residual_reported_is_the_true_one_and_failure_says_what_to_try():
    A, f = system(Domain.unit(2), (32, 32))
    solution = conjugate_gradients(A, f, geometric_multigrid(A), tolerance=1e-12, most=3)
    assert solution.iterations == 3
    assert not bool(solution.converged.any())
    assert "allow more iterations" in solution.message
    torch.testing.assert_close(
        solution.residual, (f - A(solution.value)).flatten(1).norm(dim=1) / f.flatten(1).norm(dim=1)
    )


def test_a_start_at_the_solution_takes_no_iteration_and_zero_load_gives_zero():
    A, f = system(Domain.unit(2), (16, 16))
    u = torch.randn_like(f)
    assert conjugate_gradients(A, A(u), geometric_multigrid(A), start=u, tolerance=1e-12).iterations == 0
    zero = conjugate_gradients(A, torch.zeros_like(f), geometric_multigrid(A))
    assert float(zero.value.abs().max()) == 0
    assert bool(zero.converged.all())


def test_samples_that_leave_the_batch_find_the_same_solution_in_as_many_iterations():
    """One easy and three hard systems: what is left after each leaves is iterated as before."""
    D = Domain.unit(2)
    a = torch.cat([torch.ones(1, 1, 32, 32).double(), PRIORS["contrast 1e6"].sample(D, (32, 32), 5, range(3))])
    A, f = FiniteVolume.assemble(a, D), torch.ones_like(a)
    left: list[int] = []

    def select(W, rows):
        left.append(int(rows.sum()))
        return of_samples(W, rows)

    options = {"weight": 1 / A.diagonal, "tolerance": 1e-9}
    whole = conjugate_gradients(A, f, geometric_multigrid(A), **options)
    parts = conjugate_gradients(A, f, geometric_multigrid(A), **options, select=select)
    assert left and left == sorted(left, reverse=True)
    assert parts.iterations == whole.iterations
    torch.testing.assert_close(parts.value, whole.value, rtol=1e-8, atol=1e-10)
    assert bool(parts.converged.all())
