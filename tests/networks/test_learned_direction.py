import torch
from torch import nn

from vcycle.hybrid import conjugate_directions
from vcycle.networks import UNet
from vcycle.networks.learned_direction import LearnedDirection
from vcycle.networks.preconditioner import energy_left, fit, residual_left
from vcycle.operators import FiniteVolume
from vcycle.problems import TwoPhase
from vcycle.spaces import Domain

D = Domain.unit(2)


def system(n: int, seed: int = 0, batch: int = 4) -> FiniteVolume:
    return FiniteVolume.assemble(TwoPhase(3.0, 12.0).sample(D, (n, n), seed, range(batch)), D)


def field(A: FiniteVolume, seed: int = 0) -> torch.Tensor:
    return torch.randn(A.diagonal.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


class Nothing(nn.Module):
    """N = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.zero = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        return self.zero * x[:, :1]


def test_the_losses_are_blind_to_scale_between_zero_and_one_and_zero_along_the_solution():
    A = system(12)
    e, z = field(A), field(A, 1)
    r = A(e)
    for left, exact in (
        (residual_left(A, r, z), residual_left(A, r, -3 * e)),
        (energy_left(A, e, z), energy_left(A, e, -3 * e)),
    ):
        assert float(exact.abs().max()) < 1e-12
        assert bool((left >= 0).all())
    assert bool((energy_left(A, e, z) <= 1).all())


def test_without_a_network_it_is_jacobi():
    A, r = system(12), field(system(12))
    z, jacobi = LearnedDirection(Nothing()).at(A)(r), r / A.diagonal
    ratio = (z / jacobi).flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))


def test_a_multiple_of_the_residual_has_the_same_direction():
    A, r = system(16), field(system(16))
    f = LearnedDirection(UNet(2, 1, width=4, levels=2, norm=None)).at(A)
    torch.testing.assert_close(f(1e-7 * r), f(r), rtol=1e-4, atol=1e-4)


def test_fitted_for_a_hundred_steps_it_beats_jacobi_by_far():
    torch.manual_seed(0)
    learned = LearnedDirection(UNet(2, 1, width=4, levels=3, norm=None, activation="relu"))
    systems = [system(16, seed) for seed in range(4)]
    fit(learned, lambda step: systems[step % 4], steps=100, rate=1e-2)
    A = system(16, 9)
    f = field(A)

    def jacobi(r):
        return r / A.diagonal

    plain = conjugate_directions(A, f, jacobi, jacobi)
    done = conjugate_directions(A, f, learned.at(A), jacobi)
    assert bool(done.solution.converged.all())
    assert done.solution.iterations < plain.solution.iterations / 2
    assert bool((done.learned > 0).all())
