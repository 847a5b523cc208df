"""One picture for every problem: a panel per channel, of long lists the ends."""

import pytest
import torch

from vcycle.analysis import plot_sample
from vcycle.problems import PROBLEMS
from vcycle.spaces import Domain


@pytest.mark.parametrize("kind", PROBLEMS.values(), ids=lambda kind: kind.name)
def test_every_problem_can_be_drawn(kind):
    problem = kind()
    shape = (16,) * problem.domain.dimension
    inputs = problem.sample(shape, 0, [0])[0]
    outputs = torch.zeros(len(problem.output_names), *shape)
    figure = plot_sample(inputs, outputs, problem.domain, problem.input_names, problem.output_names)
    titles = " ".join(ax.get_title(loc="left") for ax in figure.axes)
    assert "given" in titles and "sought" in titles


@pytest.mark.parametrize("dimension", [2, 3])
def test_of_many_channels_the_first_and_the_last_are_shown(dimension):
    values = torch.rand(10, *(8,) * dimension)
    names = [f"u_{i}" for i in range(10)]
    figure = plot_sample(values, values, Domain.unit(dimension), names, names)
    shown = [ax.get_title(loc="left").split(" [")[0] for ax in figure.axes if ax.get_title(loc="left")]
    assert shown == ["given: u_0", "given: u_9", "sought: u_0", "sought: u_9"]


def test_a_map_has_equal_aspect_and_a_line_its_points():
    u = torch.linspace(0, 1, 16)[None]
    figure = plot_sample(u, u.square(), Domain.unit(1), ["a"], ["u"])
    x, y = figure.axes[1].lines[0].get_data()
    assert list(x) == pytest.approx([(i + 0.5) / 16 for i in range(16)])
    assert list(y) == pytest.approx(u[0].square().tolist())
    plane = plot_sample(torch.rand(1, 8, 8), torch.rand(1, 8, 8), Domain.unit(2), ["a"], ["u"])
    assert plane.axes[0].get_aspect() == 1.0
