"""The section of rollouts: what is drawn is what was measured, and broken trajectories do not break the page."""

import math
from dataclasses import replace

import pytest
import torch

from vcycle.analysis import measure_rollout, render_report
from vcycle.analysis.rollout_plot import plot_rollout
from vcycle.spaces import Domain, Grid

TIMES = tuple(0.1 * i for i in range(1, 13))


@pytest.fixture(scope="module")
def rollout():
    """A wave that the network lets run faster and faster, on six trajectories."""
    line = Domain.unit(1, "periodic")
    x, t = Grid(line, (32,)).axis(0), torch.tensor((0.0, *TIMES), dtype=torch.float64).view(-1, 1, 1)
    shift = torch.linspace(0.05, 0.3, 6, dtype=torch.float64).view(-1, 1, 1, 1)
    true = torch.sin(2 * math.pi * (x - t)).expand(6, -1, 1, 32)
    fast = torch.sin(2 * math.pi * (x - t - shift * t**2))
    return measure_rollout(fast[:, 1:], true[:, 1:], true[:, 0], TIMES, line)


def test_the_curves_are_the_medians_and_the_marks_those_of_the_correlation(rollout):
    errors, correlation, spectrum = plot_rollout(rollout).axes
    line = next(line for line in errors.lines if line.get_label() == "network")
    assert line.get_xdata().tolist() == list(TIMES)
    assert line.get_ydata().tolist() == rollout.error.median(0).values.tolist()
    assert errors.get_title(loc="left") == "growth of the error" and "time" in errors.get_xlabel()
    assert errors.get_yscale() == "log"
    until = float(rollout.correlation_time.median())
    marked = next(line for line in correlation.lines if "below 0.8" in str(line.get_label()))
    assert marked.get_xdata() == [until, until]
    assert [line.get_label() for line in spectrum.lines] == ["reference", "error"]


def test_the_page_has_a_section_with_the_numbers_at_some_instants(made, rollout):
    page = render_report(made.example(rollout=rollout))
    assert "<h2>Rollout</h2>" in page and "Applied to its own answers: median error" in page
    rows = rollout.instants()
    assert [row["time"] for row in rows] == [TIMES[i] for i in (0, 2, 4, 7, 9, 11)]
    assert rows[-1]["error"] == float(rollout.error[:, -1].median())
    assert "<h2>Rollout</h2>" not in render_report(made.example())


def test_trajectories_that_break_off_are_drawn_as_far_as_they_go(made, rollout):
    error = rollout.error.clone()
    error[0, 5:], error[:, 9:] = math.inf, math.inf
    broken = replace(rollout, error=error, spectrum=None)
    first, second = plot_rollout(broken).axes
    line = next(line for line in first.lines if line.get_label() == "network")
    assert len(line.get_xdata()) == 9
    assert second.get_title(loc="left") == "correlation with the reference"
    assert "∞" in render_report(made.example(rollout=broken))


def test_one_instant_is_enough(rollout):
    first = replace(rollout, times=TIMES[:1], **{k: vars(rollout)[k][:, :1] for k in (
        "error", "persistence", "correlation", "mass", "energy")})  # fmt: skip
    assert len(first.instants()) == 1
    plot_rollout(first)
