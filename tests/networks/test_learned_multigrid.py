import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.networks.learned_multigrid import LearnedMultigrid, leaning_diagonal
from vcycle.networks.preconditioner import fit
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.problems import TwoPhase
from vcycle.solvers import conjugate_gradients


def system(contrast: float, n: int, seed: int = 0, batch: int = 2, boundary: str = "dirichlet") -> FiniteVolume:
    D = domain(2, boundary)
    return FiniteVolume.assemble(TwoPhase(1.0, contrast).sample(D, (n, n), seed, range(batch)), D)


def scrambled(seed: int) -> LearnedMultigrid:
    torch.manual_seed(seed)
    B = LearnedMultigrid(2)
    for p in B.parameters():
        p.data = 2 * torch.randn_like(p)
    return B


def dense(f, A: FiniteVolume) -> torch.Tensor:
    shape = A.diagonal.shape
    unit = torch.eye(shape[2:].numel(), dtype=torch.float64).view(-1, 1, *shape[2:])
    return torch.stack([f(e.expand(shape)).flatten(1) for e in unit], -1)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_leaning_diagonal_is_above_the_matrix(boundary, seed):
    """A <= D for any lean: no eigenvalue of D^-1 A beyond 1."""
    A = system(1e4, 12, boundary=boundary)
    torch.manual_seed(seed)
    D = leaning_diagonal(A, torch.randn((), dtype=torch.float64)).flatten(1)
    scaled = A.dense() / (D[:, :, None] * D[:, None]).sqrt()
    assert float(torch.linalg.eigvalsh(scaled).max()) <= 1 + 1e-12


@pytest.mark.parametrize("contrast", [4.0, 1e4])
@pytest.mark.parametrize("seed", [0, 1, 2])
@torch.no_grad()
def test_any_parameters_give_a_self_adjoint_positive_preconditioner(seed, contrast):
    A = system(contrast, 16)
    B = dense(scrambled(seed).at(A), A)
    scale = torch.linalg.matrix_norm(B)[:, None, None]
    torch.testing.assert_close(B / scale, B.mT / scale, rtol=0, atol=1e-13)
    smallest = torch.linalg.eigvalsh((B + B.mT) / 2)[:, 0] / scale.flatten()
    # Scrambled weights of faces make the smoother as weak as rounding at high contrast: positive, but not to be seen.
    assert float(smallest.min()) > (0 if contrast == 4.0 else -1e-15)


@torch.no_grad()
def test_untrained_it_is_nearly_the_geometric_cycle():
    for contrast in (4.0, 100.0):
        A = system(contrast, 32)
        f = torch.randn(A.diagonal.shape, dtype=torch.float64)
        counts = [
            conjugate_gradients(A, f, B, tolerance=1e-8).iterations
            for B in (LearnedMultigrid().at(A), geometric_multigrid(A, 3))
        ]
        assert abs(counts[0] - counts[1]) <= 1


def test_forty_steps_on_small_grids_save_iterations_on_larger_ones():
    torch.manual_seed(0)
    B = LearnedMultigrid()
    systems = [system(4.0, 16, seed=seed) for seed in range(4)]
    losses = fit(B, lambda step: systems[step % 4], steps=40, rate=5e-2)
    assert sum(losses[-8:]) < sum(losses[:8])
    A = system(4.0, 64, seed=9)
    f = torch.randn(A.diagonal.shape, dtype=torch.float64)
    with torch.no_grad():
        learned = conjugate_gradients(A, f, B.at(A), tolerance=1e-8).iterations
        assert learned < conjugate_gradients(A, f, geometric_multigrid(A), tolerance=1e-8).iterations
