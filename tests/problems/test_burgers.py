"""Burgers' equation against reference trajectories, the Cole-Hopf solution, and its invariants."""

import math

import pytest
import torch

from references.trajectories import largest_difference, trajectory
from vcycle.problems import Burgers
from vcycle.spaces import Domain, Grid


@pytest.mark.parametrize(
    ("file", "viscosity", "finer", "accuracy"),
    [("pde_burgers_1d_a", 0.01, 1, 6e-11), ("pde_burgers_1d_b_2pi", 0.1 / math.pi, 2, 1.4e-12)],
)
def test_reference_trajectories(file, viscosity, finer, accuracy):
    found, expected = trajectory(file, Burgers, finer, accuracy, viscosity=viscosity)
    assert largest_difference(found, expected) < 10 * accuracy


def test_the_reference_trajectory_in_two_dimensions():
    found, expected = trajectory("pde_burgers_2d", Burgers, 2, 1e-7, viscosity=0.01)
    assert largest_difference(found, expected) < 4.8e-6


def test_the_cole_hopf_solution_in_two_dimensions():
    """u = -2 nu grad phi / phi with phi = 3 + the heat flow of cos(k x) + cos(2 k y) / 2 + cos(k (x + y))."""
    nu, k, T = 0.05, 2 * math.pi, 0.1
    P = Burgers(Domain.unit(2, "periodic"), time=T, viscosity=nu, accuracy=1e-9)
    waves = ((1, 0, 1.0), (0, 2, 0.5), (1, 1, 1.0))

    def u(t: float, n: int) -> torch.Tensor:
        x, y = Grid(P.domain, (n, n)).mesh()
        phi, gradient = torch.full_like(x, 3.0), [torch.zeros_like(x), torch.zeros_like(x)]
        for a, b, size in waves:
            decay = size * math.exp(-nu * k**2 * (a * a + b * b) * t)
            phi = phi + decay * torch.cos(k * (a * x + b * y))
            gradient = [
                g - decay * k * m * torch.sin(k * (a * x + b * y)) for g, m in zip(gradient, (a, b), strict=True)
            ]
        return -2 * nu * torch.stack([g / phi for g in gradient])[None]

    coarse, fine = (float((P.solve(u(0, n)).value - u(T, n)).abs().max()) for n in (16, 48))
    assert fine < 1e-7 < coarse < 1e-2


@pytest.mark.parametrize("d", [2, 3])
def test_a_flow_along_one_axis_is_the_equation_in_one_dimension(d):
    line = Burgers(time=0.2)
    u = line.sample((16,), 0, [0])
    box = torch.zeros(1, d, *(16,) * d, dtype=torch.float64)
    box[:, :1] = u.view(1, 1, 16, *(1,) * (d - 1))
    found = Burgers(Domain.unit(d, "periodic"), time=0.2).solve(box).value
    expected = torch.zeros_like(box)
    expected[:, :1] = line.solve(u).value.view(1, 1, 16, *(1,) * (d - 1))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_cole_hopf_solution():
    """u = -2 nu phi_x / phi with phi = 2 + exp(-nu k^2 t) cos(k x), which solves the heat equation."""
    nu, k, T = 0.05, 2 * math.pi, 0.4
    P = Burgers(time=T, viscosity=nu, accuracy=1e-9)

    def u(t: float, n: int) -> torch.Tensor:
        x, decay = Grid(P.domain, (n,)).axis(0), math.exp(-nu * k**2 * t)
        return (2 * nu * k * decay * torch.sin(k * x) / (2 + decay * torch.cos(k * x)))[None, None]

    coarse, fine = (float((P.solve(u(0, n)).value - u(T, n)).abs().max()) for n in (16, 48))
    assert fine < 1e-9 < coarse < 1e-4


def test_the_mean_stays_and_energy_decays():
    P = Burgers(drift=1.0, time=0.2)
    u = P.sample((64,), 0, range(4))
    later = P.solve(u).value
    torch.testing.assert_close(later.mean(2), u.mean(2))
    assert bool((later.square().mean(2) < u.square().mean(2)).all())
    assert u.mean(2).std() > 0.3
    assert Burgers().sample((64,), 0, range(4)).mean(2).abs().max() < 1e-3


def test_a_moving_frame_changes_nothing_else():
    """u(x, t) + m solves the equation in the frame that moves with m; after T = 1 / m a unit box is where it was."""
    P = Burgers(domain=Domain.unit(1, "periodic"), time=0.5)
    u = P.sample((64,), 0, [0])
    torch.testing.assert_close(P.solve(u + 2).value, P.solve(u).value + 2, rtol=0, atol=1e-5)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="positive viscosity, got 0"):
        Burgers(viscosity=0.0)
