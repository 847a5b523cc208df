"""Allen-Cahn and Fisher-KPP against reference trajectories, exact solutions, and their invariants."""

import math

import pytest
import torch

from references.trajectories import largest_difference, trajectory
from vcycle.problems import AllenCahn, FisherKPP
from vcycle.spaces import Domain, Grid


@pytest.mark.parametrize(
    ("file", "kind", "viscosity", "finer", "limit"),
    [
        ("pde_allencahn_1d", AllenCahn, 0.005, 2, 1.3e-8),
        ("pde_allencahn_2d", AllenCahn, 0.001, 2, 1e-6),
        ("pde_fisherkpp_1d", FisherKPP, 0.05, 1, 1.5e-11),
    ],
)
def test_reference_trajectories(file, kind, viscosity, finer, limit):
    found, expected = trajectory(file, kind, finer, limit / 3, viscosity=viscosity)
    assert largest_difference(found, expected) < limit


def test_without_gradients_both_are_ordinary_equations():
    u = torch.full((1, 1, 8), 0.3, dtype=torch.float64)
    box = Domain.unit(1, "periodic")
    logistic = FisherKPP(box, time=2.0, growth=1.5, accuracy=1e-9).solve(u).value
    torch.testing.assert_close(logistic, 1 / (1 + (1 / u - 1) * math.exp(-3.0)))
    phase = AllenCahn(box, time=2.0, accuracy=1e-9).solve(u).value
    torch.testing.assert_close(phase, 1 / (1 + (1 / u.square() - 1) * math.exp(-4.0)).sqrt())


def test_the_interface_of_the_docstring_stays():
    """tanh(x / (2 nu)^(1/2)) is a steady interface; two of them, far apart on a periodic box, hardly move."""
    nu = 1e-3
    P = AllenCahn(Domain.unit(1, "periodic"), viscosity=nu, time=1.0, accuracy=1e-8)
    x = Grid(P.domain, (128,)).axis(0)
    width = math.sqrt(2 * nu)
    u = (torch.tanh((x - 0.25) / width) * torch.tanh((0.75 - x) / width))[None, None]
    torch.testing.assert_close(P.solve(u).value, u, rtol=0, atol=1e-4)


def test_phases_stay_between_minus_one_and_one():
    u = AllenCahn().sample((32, 32), 0, range(2)).clamp(-1, 1)
    assert AllenCahn().solve(u).value.abs().max() < 1.02
