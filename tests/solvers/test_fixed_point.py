import math

import pytest
import torch

from vcycle.solvers.fixed_point import fixed_point


def linear(rate: float, n: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A symmetric matrix with spectral norm `rate`, and a right-hand side."""
    noise = torch.Generator().manual_seed(seed)
    Q = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=noise))[0]
    b = torch.randn(3, 1, n, dtype=torch.float64, generator=noise)
    return Q * torch.linspace(-rate, rate, n, dtype=torch.float64) @ Q.T, b


@pytest.mark.parametrize("window", [0, 3, 8])
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_it_finds_the_solution_of_a_linear_contraction(window, damping):
    A, b = linear(0.8)
    exact = b @ torch.linalg.inv(torch.eye(12, dtype=torch.float64) - A).T
    options = {"tolerance": 1e-12, "most": 300, "damping": damping, "window": window}
    found = fixed_point(lambda z: z @ A.T + b, torch.zeros_like(b), **options)
    assert bool(found.converged.all())
    torch.testing.assert_close(found.value, exact, rtol=1e-10, atol=1e-10)


def test_picard_needs_no_more_steps_than_banach_allows():
    A, b = linear(0.8)
    found = fixed_point(lambda z: z @ A.T + b, torch.zeros_like(b), tolerance=1e-8)
    assert found.iterations <= math.ceil(math.log(1e-8) / math.log(0.8)) + 10
    exact = b @ torch.linalg.inv(torch.eye(12, dtype=torch.float64) - A).T
    distance = (found.value - exact).flatten(1).norm(dim=1)
    assert bool((distance <= found.residual * found.value.flatten(1).norm(dim=1) / (1 - 0.8)).all())


def test_damping_does_not_move_the_fixed_point_and_repairs_an_oscillation():
    """z <- 1 - 1.5 z diverges, the average of z and its image does not."""
    start = torch.zeros(1, 1, 1, dtype=torch.float64)
    assert not bool(fixed_point(lambda z: 1 - 1.5 * z, start).converged)
    damped = fixed_point(lambda z: 1 - 1.5 * z, start, damping=0.5, tolerance=1e-12)
    assert float(damped.value) == pytest.approx(0.4, abs=1e-11)


def test_anderson_saves_iterations_and_solves_small_systems_exactly():
    A, b = linear(0.95)
    counts = [
        fixed_point(lambda z: z @ A.T + b, torch.zeros_like(b), tolerance=1e-10, most=1000, window=window).iterations
        for window in (0, 3, 12)
    ]
    assert counts[2] <= 16 < counts[1] < counts[0] / 2


def test_a_sample_does_not_depend_on_its_batch():
    A, b = linear(0.9)
    b = b * torch.tensor([1.0, 100.0, 1e-3])[:, None, None]
    for window in (0, 4):
        together = fixed_point(lambda z: (z @ A.T).sin() + b, b, tolerance=1e-6, window=window).value
        alone = [fixed_point(lambda z, c=c: (z @ A.T).sin() + c, c[None], tolerance=1e-6, window=window) for c in b]
        torch.testing.assert_close(together, torch.cat([a.value for a in alone]), rtol=1e-13, atol=0)


def test_what_does_not_converge_is_said():
    found = fixed_point(lambda z: 2 * z + 1, torch.zeros(2, 1, 1), most=7)
    assert found.converged.tolist() == [False, False]
    assert "2 samples missed" in found.message
    assert "no contraction" in found.message
