"""The table that a learned factor has to earn: on its pattern, what the loss weighs decides, not the parameters."""

import numpy as np
import pytest
import torch

from vcycle.operators import FiniteVolume
from vcycle.operators.sparse_factor import FactorInverse, SparseFactor, incomplete_cholesky
from vcycle.problems import Darcy, TwoPhase
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain

N = 20


def laplacian() -> FiniteVolume:
    """The five-point Laplacian with nodes: 4 on the diagonal, -1 beside it."""
    faces = (torch.ones(1, 1, N + 1, N, dtype=torch.float64), torch.ones(1, 1, N, N + 1, dtype=torch.float64))
    return FiniteVolume(faces, Domain.unit(2))


def iterations(A: FiniteVolume, factor: SparseFactor) -> float:
    B, counts = FactorInverse(factor, A.domain), []
    for seed in range(10):
        f = torch.randn(A.diagonal.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        counts.append(conjugate_gradients(A, f, B, tolerance=1e-8).iterations)
    return float(np.mean(counts))


def condition(A: FiniteVolume, factor: SparseFactor) -> float:
    inverse = torch.linalg.inv(torch.from_numpy(factor.to_scipy(0).toarray()))
    values = torch.linalg.eigvalsh(inverse @ A.dense()[0] @ inverse.T)
    return float(values[-1] / values[0])


def frobenius(A: FiniteVolume, factor: SparseFactor) -> float:
    L = torch.from_numpy(factor.to_scipy(0).toarray())
    return float((L @ L.T - A.dense()[0]).norm())


def best(A: FiniteVolume, x: torch.Tensor) -> SparseFactor:
    """The minimum of ||(L L^T - A) x||^2 over the pattern, from IC(0)."""
    start, target = incomplete_cholesky(A), A(x)
    log, lower = start.diagonal.log().requires_grad_(), [entry.clone().requires_grad_() for entry in start.lower]
    optimizer = torch.optim.LBFGS([log, *lower], max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = (SparseFactor(log.exp(), tuple(lower)).product(x) - target).square().sum() / len(x)
        value.backward()
        return value

    optimizer.step(loss)
    return SparseFactor(log.exp().detach(), tuple(entry.detach() for entry in lower))


def test_incomplete_cholesky_is_exact_on_the_pattern_of_the_matrix():
    problem = Darcy(prior=TwoPhase(1.0, 1e4))
    A, _ = problem.system(problem.sample((7, 9), 0, range(2)))
    factor = incomplete_cholesky(A)
    for sample, matrix in enumerate(A.dense()):
        L = torch.from_numpy(factor.to_scipy(sample).toarray())
        assert bool((L.triu(1) == 0).all())
        assert bool(((L != 0) == (matrix.tril() != 0)).all())
        torch.testing.assert_close((L @ L.T)[matrix != 0], matrix[matrix != 0])


def test_product_and_inverse_are_those_of_the_matrix():
    A = laplacian()
    factor = incomplete_cholesky(A)
    L = torch.from_numpy(factor.to_scipy(0).toarray())
    x = torch.randn(1, 1, N, N, dtype=torch.float64)
    torch.testing.assert_close(factor.product(x).flatten(), L @ L.T @ x.flatten())
    torch.testing.assert_close(FactorInverse(factor, A.domain)(factor.product(x)), x)


def test_incomplete_cholesky_of_a_chain_is_exact():
    """A tridiagonal matrix has no fill-in: one iteration."""
    a = torch.rand(1, 1, 50, dtype=torch.float64) + 0.1
    A = FiniteVolume.assemble(a, Domain.unit(1))
    assert iterations(A, incomplete_cholesky(A)) == 1


@pytest.mark.slow
def test_weighted_with_solutions_a_factor_beats_incomplete_cholesky_and_in_frobenius_norm_it_does_not():
    A = laplacian()
    none = SparseFactor(
        torch.ones(1, 1, N, N, dtype=torch.float64), 2 * (torch.zeros(1, 1, N, N, dtype=torch.float64),)
    )
    assert iterations(A, none) == pytest.approx(64.6, abs=1)
    ic = incomplete_cholesky(A)
    assert iterations(A, ic) == pytest.approx(23.4, abs=0.5)
    assert condition(A, ic) == pytest.approx(16.6, abs=0.05)
    assert frobenius(A, ic) == pytest.approx(7.80, abs=0.005)
    unit = torch.eye(N * N, dtype=torch.float64).view(-1, 1, N, N)
    plain = best(A, unit)
    assert iterations(A, plain) == pytest.approx(26.0, abs=0.5)
    assert condition(A, plain) == pytest.approx(21.2, abs=0.1)
    assert frobenius(A, plain) == pytest.approx(7.05, abs=0.01)
    torch.manual_seed(0)
    noise = torch.randn(N * N, 400, dtype=torch.float64)
    weighted = best(A, torch.linalg.solve(A.dense()[0], noise).T.reshape(400, 1, N, N))
    assert iterations(A, weighted) == pytest.approx(17.8, abs=0.5)
    assert condition(A, weighted) < 6.3 + 0.1


def test_periodic_axes_are_refused():
    A = FiniteVolume.assemble(torch.ones(1, 1, 8, 8), Domain.unit(2, ["periodic", "dirichlet"]))
    with pytest.raises(ValueError, match="take a V-cycle"):
        incomplete_cholesky(A)
