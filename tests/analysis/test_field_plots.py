"""Pictures show the numbers they claim to show, at the places they claim."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import pyplot

from vcycle.analysis.canvas import embed
from vcycle.analysis.field_plots import plot_case
from vcycle.spaces import Domain


def titles(figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]


def draw(made, domain: Domain, placement: str = "cell", **changes):
    evaluation = made.example(domain, n=8)
    case = replace(evaluation.cases[0], **changes)
    names = tuple(f"a_{i}" for i in range(case.inputs.shape[0])) if case.inputs.shape[0] > 1 else ("a",)
    return plot_case(case, domain, placement, names, ("u",), {"u": "Pa"})


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_every_dimension_has_its_picture(made, dimension):
    figure = draw(made, Domain.unit(dimension))
    said = " ".join(titles(figure))
    assert "input a" in said and "error" in said
    assert embed(figure, "png").startswith("data:image/png;base64,")
    assert pyplot.get_fignums() == []  # pyplot's list of figures stays empty


def test_a_map_shows_the_transposed_values_on_the_extents_of_the_domain(made):
    domain = Domain([(0.0, 1.0), (2.0, 2.5)])
    figure = draw(made, domain)
    reference = made.example(domain, n=8).cases[0].reference[0].numpy()
    ax = next(ax for ax in figure.axes if ax.get_title(loc="left").startswith("reference"))
    (image,) = ax.images
    assert image.get_extent() == [0.0, 1.0, 2.0, 2.5]
    assert image.origin == "lower" and ax.get_aspect() == 1
    factor = reference / np.asarray(image.get_array()).T
    assert np.allclose(factor, 1e-3, rtol=1e-12)
    assert ax.get_title(loc="left") == "reference u [10$^{-3}$ Pa]"


def test_vertices_are_the_middles_of_their_pixels(made):
    figure = draw(made, Domain.unit(2, ["dirichlet", "periodic"]), placement="vertex")
    (image,) = figure.axes[0].images
    assert image.get_extent() == pytest.approx([-1 / 14, 1 + 1 / 14, -1 / 16, 1 - 1 / 16])


def test_prediction_and_reference_share_their_colours_and_the_error_is_white_at_zero(made):
    figure = draw(made, Domain.unit(2))
    by_title = {ax.get_title(loc="left").split(" ")[0]: ax for ax in figure.axes if ax.images}
    limits = [ax.images[0].get_clim() for ax in figure.axes if ax.images]
    assert limits[1] == limits[2]
    low, high = limits[3]
    assert low == -high
    assert by_title["log$_{10}$"].images[0].get_clim()[0] == pytest.approx(limits[4][1] - 4)


def test_two_values_get_two_ticks(made):
    coefficient = torch.where(torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5, 12.0, 3.0)
    figure = draw(made, Domain.unit(2), inputs=coefficient.double())
    bar = figure.axes[0].child_axes[0]
    assert [label.get_text() for label in bar.get_yticklabels()] == ["3", "12"]


@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_more_inputs_get_more_panels(made, dimension, inputs):
    values = torch.rand(inputs, *(8,) * dimension, dtype=torch.float64)
    figure = draw(made, Domain.unit(dimension), inputs=values)
    said = " ".join(titles(figure)) + " ".join(
        text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()
    )
    for i in range(inputs):
        assert ("a_" in said and f"a_{i}" in said) or inputs == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_predictions_that_are_no_numbers_are_drawn_without_complaint(made, dimension, bad):
    values = torch.full((1, *(8,) * dimension), bad, dtype=torch.float64)
    assert embed(draw(made, Domain.unit(dimension), prediction=values), "png")


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_perfect_prediction_is_drawn_too(made, dimension):
    domain = Domain.unit(dimension)
    reference = made.example(domain, n=8).cases[0].reference
    assert embed(draw(made, domain, prediction=reference), "png")
