"""Theorems about tube flow: Poiseuille's profile, what flows in flows on, order of convergence."""

import math
from itertools import pairwise

import pytest
import torch

from vcycle.problems import Tube
from vcycle.solvers import TubeFlow
from vcycle.spaces import Domain, Grid


def test_a_long_tube_ends_in_poiseuille_flow_with_second_order():
    errors = []
    for m in (6, 12):
        inputs = torch.ones(1, 2, 2 * m, m, dtype=torch.float64)
        inputs[:, 1] = 0.1
        u, v, p = Tube(time=4.0).march(inputs, 0)[0]
        y, h = Grid(Domain.unit(1), (m,)).axis(0), 4.0 / (2 * m)
        errors.append(float((u[-2] - 6 * y * (1 - y)).abs().max()))
        assert float(v[-1].abs().max()) < 1e-3
        # Of the grid's parabola, test_poiseuille_flow_of_the_grid_stays_what_it_is, whose mean is 1 + 2 / m^2.
        assert float((p[-2] - p[-3]).mean() / h) == pytest.approx(-12 * 0.1 / (1 + 2 / m**2), rel=1e-3)
    assert errors[1] < 0.015
    assert math.log2(errors[0] / errors[1]) > 1.8


def test_as_much_flows_through_every_section_as_comes_in():
    problem = Tube(time=0.2, profile="random")
    inputs = problem.sample((12, 8), 1, range(2))
    u = problem.march(inputs, 0)[:, 0]
    flow = u.mean(2)
    torch.testing.assert_close(flow, inputs[:, 0].mean(2), atol=1e-12, rtol=0)
    assert float((u - inputs[:, 0]).abs().max()) > 0.05


def test_nothing_diverges_on_the_way():
    tube = Tube()
    flow = TubeFlow(tube.domain, (10, 6), torch.rand(2, 6, dtype=torch.float64), torch.full((2,), 0.02).double())
    state = flow.start()
    assert float(flow.divergence(state, flow.inlet).abs().max()) < 1e-14
    rate, _ = flow.acceleration(state)
    assert float(rate.abs().max()) > 0.1
    assert float(flow.divergence(state + 0.3 * rate, flow.inlet).abs().max()) < 1e-12


def test_poiseuille_flow_of_the_grid_stays_what_it_is():
    """On cells it is 6 y (1 - y) + 3 / (2 m^2), up to a factor: second differences of parabolas are exact."""
    m = 8
    y = Grid(Domain.unit(1), (m,)).axis(0)
    profile = 6 * y * (1 - y) + 1.5 / m**2
    flow = TubeFlow(Tube().domain, (16, m), profile[None], torch.full((1,), 0.1, dtype=torch.float64))
    rate, p = flow.acceleration(flow.start())
    assert float(rate.abs().max()) < 1e-11
    torch.testing.assert_close(
        p[0, 0].diff(dim=0) / (4 / 16), torch.full((15, m), -1.2, dtype=torch.float64), atol=1e-10, rtol=0
    )


def test_a_smooth_inlet_gives_second_order():
    problem = Tube(Domain([2.0, 1.0], Tube().domain.boundary), time=0.2, profile="random", reynolds=(20.0, 20.0))
    flows = []
    for m in (6, 18, 54):
        middles = (slice(None), slice(0, 2), *(slice(m // 12, None, m // 6),) * 2)
        flows.append(problem.march(problem.sample((2 * m, m), 0, [0]), 0)[middles])
    errors = [float((a - b).norm()) for a, b in pairwise(flows)]
    assert math.log(errors[0] / errors[1], 3) > 1.6


def test_a_tube_mirrored_about_its_axis_is_the_same():
    problem = Tube(time=0.2, profile="random")
    inputs = problem.sample((10, 8), 4, [0])
    one, other = problem.march(inputs, 0)[0], problem.march(inputs.flip(3), 0)[0]
    torch.testing.assert_close(other.flip(2) * torch.tensor([1.0, -1.0, 1.0]).view(3, 1, 1), one, atol=1e-12, rtol=0)


def test_the_order_of_the_samples_says_nothing():
    """Though those with like viscosities are solved together, and share their steps."""
    problem = Tube(time=0.1)
    inputs = problem.sample((8, 8), 5, range(5))
    assert torch.equal(problem.solve(inputs.flip(0)).value.flip(0), problem.solve(inputs).value)


def test_a_tube_has_an_inlet_an_outlet_and_plates():
    with pytest.raises(ValueError, match="an inlet"):
        Tube(Domain.unit(2, "dirichlet"))
