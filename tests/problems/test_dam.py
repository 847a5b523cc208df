"""Theorems about water over a barrier: its volume, its beginning, other units, what blows up, what is refused."""

from dataclasses import replace

import pytest
import torch

from vcycle.problems import Dam
from vcycle.problems.channel_flow import INLET, PLATES
from vcycle.spaces import Domain, Grid

QUICK = Dam(time=0.4, snapshots=2)


def parts(states: torch.Tensor) -> torch.Tensor:
    """(b, snapshots, 4, n, m)."""
    return states.unflatten(1, (-1, 4))


@pytest.mark.parametrize("problem", [QUICK, replace(QUICK, profile="random"), replace(QUICK, drive="break")])
def test_there_is_as_much_more_water_as_flowed_in(problem):
    """While none has reached the outlet; and never more than all of a cell, nor less than none."""
    inputs = problem.sample((18, 12), 1, range(2))
    states, (h, k) = parts(problem.march(inputs, 0)), Grid(problem.domain, (18, 12)).spacing
    water = states[:, :, 3]
    volume = torch.cat([inputs[:, None, 3], water], 1).sum((2, 3)) * h * k
    flowed = (inputs[:, 0, 0] * inputs[:, 3, 0]).sum(1) * k * problem.interval
    torch.testing.assert_close(volume.diff(dim=1), flowed[:, None].expand(-1, 2), atol=1e-9, rtol=0)
    assert float(water.min()) >= 0
    assert float(water.max()) <= 1
    assert float((water[:, 1] - inputs[:, 3]).abs().max()) > 0.1
    assert float(states[0, :, :, inputs[0, 2] > 0.5].abs().max()) == 0


def test_a_column_stands_behind_the_inlet_and_a_barrier_before_it():
    problem = Dam()
    inlet, viscosity, solid, water = problem.sample((90, 60), 2, range(4)).unbind(1)
    h, k = Grid(problem.domain, (90, 60)).spacing
    for i in range(4):
        depth, front = problem.column(2, i)
        assert float(water[i, 0].sum() * k) == pytest.approx(depth, abs=1e-3)
        assert float(water[i, :, 0].sum() * h) == pytest.approx(front + 1.5, abs=1e-3)
        speed = float(inlet[i].max())
        torch.testing.assert_close(inlet[i, 0], speed * water[i, 0] / float(water[i, 0].max()), atol=1e-4, rtol=0)
        assert 0.1 * 0.99 <= speed <= 0.8
        assert 50 <= depth**1.5 / float(viscosity[i, 0, 0]) <= 200
        high, wide = (float(solid[i].amax(1 - axis).sum() * (h, k)[axis]) for axis in (1, 0))
        assert 0.2 - k <= high <= 0.4 + k
        assert 0.2 - h <= wide <= 0.5 + h


def test_in_other_units_it_is_the_same_flow():
    """Lengths twice as long and gravity twice as strong: speeds are twice as high, times the same, p four times."""
    problem = replace(QUICK, snapshots=1)
    inputs = problem.sample((16, 12), 3, [0])
    double = replace(
        problem,
        domain=Domain([(-3.0, 6.0), (0.0, 3.0)], [INLET, PLATES]),
        thickness=0.12,
        mobility=0.6,
        gravity=2.0,
        columns=(1.2, 2.0),
    )
    larger = inputs * torch.tensor([2.0, 4.0, 1.0, 1.0]).view(4, 1, 1)
    scale = torch.tensor([2.0, 2.0, 4.0, 1.0]).view(4, 1, 1)
    torch.testing.assert_close(double.march(larger, 0), problem.march(inputs, 0) * scale, atol=1e-9, rtol=1e-9)


def test_going_on_from_a_state_is_not_stopping_there():
    problem = Dam(time=0.2, snapshots=2)
    inputs = problem.sample((16, 12), 4, [0])
    first, second = parts(problem.march(inputs, 1)).unbind(1)
    later = Dam(time=0.1, history=1)
    again = later.march(torch.cat([inputs, first], 1), 1)
    torch.testing.assert_close(again, second, atol=1e-8, rtol=1e-8)
    assert later.input_names[4:] == ("u_0", "v_0", "p_0", "water_0")


def test_what_blows_up_is_reported_and_never_a_label():
    problem = replace(QUICK, snapshots=1)
    inputs = problem.sample((12, 8), 0, range(2))
    inputs[1, 0] = 1e200
    solution = problem.solve(inputs)
    assert solution.converged.tolist() == [True, False]
    assert float(solution.residual[1]) == float("inf")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"domain": Domain.unit(2, "dirichlet")}, "an inlet"),
        ({"heights": (0.5, 1.6)}, "closes a channel"),
        ({"widths": (0.5, 0.2)}, "0 < low <= high for widths"),
        ({"depths": (0.5, 1.5)}, "water below air"),
        ({"air_density": 2.0}, "water below air"),
        ({"columns": (0.3, 0.8)}, "at least 10 thicknesses long"),
        ({"columns": (0.6, 1.8)}, "end before the barrier"),
        ({"mobility": 0.0}, "needs a positive mobility"),
    ],
)
def test_what_is_no_dam_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Dam(**settings)
