"""Curves go through the numbers they claim to show."""

import math

import numpy as np
import pytest
import torch

from vcycle.analysis import Errors
from vcycle.analysis.canvas import embed
from vcycle.analysis.curve_plots import (
    plot_distribution,
    plot_effectivity,
    plot_resolutions,
    plot_spectrum,
    plot_training,
)
from vcycle.spaces import Domain


def line(ax, label: str):
    return next(one for one in ax.get_lines() if one.get_label() == label)


def test_the_distribution_reaches_k_of_n_at_the_kth_error():
    values = torch.tensor([0.04, 0.01, 0.02, 0.03], dtype=torch.float64)
    figure = plot_distribution(Errors(values, 2 * values))
    curve = line(figure.axes[0], "L² norm")
    assert curve.get_drawstyle() == "steps-post"
    assert curve.get_xdata().tolist() == [0.01, 0.01, 0.02, 0.03, 0.04]
    assert curve.get_ydata().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert not figure.axes[1].axison  # nothing is known of boundary and interior


def test_samples_that_failed_never_arrive_in_the_distribution():
    values = torch.tensor([0.1, math.nan, 0.2, math.inf], dtype=torch.float64)
    curve = line(plot_distribution(Errors(values, values)).axes[0], "L² norm")
    assert curve.get_ydata().max() == 0.5


def test_the_line_no_bound_may_cross_and_the_points_above_it(made):
    figure = plot_effectivity([made.effectivity("discrete", 1.1), made.effectivity("continuum", 1.5)])
    left, right = figure.axes
    points = line(left, "continuum form")
    assert np.allclose(points.get_ydata() / points.get_xdata(), 1.5)
    assert left.get_xlim() == left.get_ylim() and left.get_aspect() == 1
    assert line(right, "discrete form").get_xdata().tolist() == pytest.approx([1.1] * 6)


def test_only_complete_shells_are_drawn(made):
    evaluation = made.example()
    figure = plot_spectrum(evaluation.spectrum)
    curve = line(figure.axes[0], "error")
    assert len(curve.get_xdata()) <= evaluation.spectrum.complete + 1
    assert np.isfinite(curve.get_ydata()).all()


def test_other_grids_show_medians_and_skip_what_is_unknown(made):
    evaluation = made.example()
    figure = plot_resolutions(evaluation.resolutions, (16, 16))
    (ax,) = figure.axes
    assert line(ax, "network on this grid").get_xdata() == [16]
    assert line(ax, "network on the training grid, interpolated").get_xdata() == [32]
    assert line(ax, "network on this grid").get_ydata() == pytest.approx([0.03])
    figure.draw_without_rendering()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["16\n(trained)", "32"]


def test_the_training_curves_skip_rows_without_validation(made):
    left, right = plot_training(made.example().history).axes
    assert list(line(left, "validation L$^2$ error").get_xdata()) == [0, 2, 4]
    assert list(line(left, "training loss").get_xdata()) == [0, 1, 2, 3, 4, 5]
    assert list(right.get_lines()[0].get_ydata()) == [1e-3] * 6


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet"])
@pytest.mark.parametrize("wrong", [0.0, math.nan])
def test_perfect_and_failed_predictions_are_drawn_without_complaint(made, boundary, wrong):
    domain = Domain.unit(2, boundary)
    reference, _ = made.fields(domain, 16)
    evaluation = made.example(domain, prediction=reference + wrong)
    empty = made.effectivity("discrete", wrong)
    for figure in (
        plot_distribution(evaluation.tests[0].errors),
        plot_spectrum(evaluation.spectrum),
        plot_effectivity([empty]),
    ):
        assert embed(figure, "svg").startswith("data:image/svg+xml;base64,")
