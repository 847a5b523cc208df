import torch

from vcycle.networks.learned_factor import LearnedFactor
from vcycle.networks.preconditioner import fit
from vcycle.operators import FiniteVolume
from vcycle.operators.sparse_factor import incomplete_cholesky
from vcycle.problems import TwoPhase
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain

D = Domain.unit(2)


def system(contrast: float, n: int, seed: int = 0, batch: int = 2) -> FiniteVolume:
    return FiniteVolume.assemble(TwoPhase(1.0, contrast).sample(D, (n, n), seed, range(batch)), D)


def iterations(A: FiniteVolume, B) -> int:
    f = torch.randn(A.diagonal.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return conjugate_gradients(A, f, B, tolerance=1e-8, most=1000).iterations


def test_the_factor_has_the_pattern_of_the_matrix_and_is_positive_whatever_the_weights():
    torch.manual_seed(0)
    network, A = LearnedFactor(D), system(1e4, 9)
    for p in network.parameters():
        p.data = torch.randn_like(p) / 4
    factor = network.factor(A)
    for sample, matrix in enumerate(A.dense()):
        L = torch.from_numpy(factor.to_scipy(sample).toarray())
        assert bool(((L != 0) == (matrix.tril() != 0)).all())
        assert bool((L.diagonal() > 0).all())
        torch.linalg.cholesky(L @ L.T)


def test_the_loss_is_the_frobenius_norm_when_every_error_counts_the_same():
    """Unit vectors in the scaled variables: sum of ||(L L^T - A) e_i||^2, here against ||A e_i||^2 each."""
    torch.manual_seed(0)
    network, n = LearnedFactor(D), 6
    A = FiniteVolume.assemble(torch.ones(n * n, 1, n, n, dtype=torch.float64), D)
    root = A.diagonal.sqrt()
    unit = torch.eye(n * n, dtype=torch.float64).view(-1, 1, n, n)
    L = torch.from_numpy(network.factor(A).to_scipy(0).toarray())
    scaled = A.dense()[0] / (root[0].flatten()[:, None] * root[0].flatten())
    expected = ((L @ L.T - scaled).square().sum(0) / scaled.square().sum(0)).mean()
    torch.testing.assert_close(network.loss(A, unit / root), expected)


def test_fitted_on_small_grids_it_needs_fewer_iterations_than_incomplete_cholesky_on_larger_ones():
    torch.manual_seed(0)
    network = LearnedFactor(D)
    systems = [system(contrast, 16, seed) for seed in range(3) for contrast in (4.0, 100.0)]
    fit(network, lambda step: systems[step % 6], steps=120, rate=2e-2)
    for contrast in (4.0, 100.0):
        A = system(contrast, 48, seed=9)
        learned, classical = iterations(A, network.at(A)), iterations(A, incomplete_cholesky(A).inverse(D))
        assert learned < 0.9 * classical
