"""The sentences say what the numbers say, the unwelcome ones included."""

from dataclasses import replace

import pytest
import torch

from vcycle.analysis import Cost, Rival
from vcycle.analysis.findings import bound_sentence, cost_sentences, error_sentence, guarantee


def cost(network: float, solver: float | None) -> Cost:
    rival = Rival("solver", None if solver is None else 0.1, 0.01, {} if solver is None else {1: solver})
    return Cost(0.02, {1: network}, (rival,), 1, "cpu", 3, {}, 16)


@pytest.mark.parametrize(
    ("network", "solver", "said"),
    [
        (2.0, 10.0, "the network is 5.0 times faster"),
        (10.0, 2.0, "the solver is 5.0 times faster, and there is no gain in time"),
        (2.0, 2.1, "neither is faster"),
        (2.0, None, "no solver that was tried reached the network’s accuracy"),
    ],
)
def test_whoever_is_faster_is_named(network, solver, said):
    (sentence,) = cost_sentences(cost(network, solver))
    assert said in sentence and "batch 1" in sentence


def test_the_errors_in_a_sentence(made):
    sentence = error_sentence(made.example()).replace("\u2009", " ")
    assert "5 test samples at 16 × 16" in sentence
    assert "3.0 % in the median, at most 5.0 % for 95 % of the samples, and 5.0 % at worst" in sentence


def test_a_bound_that_held_and_one_that_failed(made):
    held = made.effectivity("discrete", 1.25)
    assert "held on all 5 samples" in bound_sentence(held) and "1.25 times the true error" in bound_sentence(held)
    failed = made.effectivity("continuum", 0.9)
    assert "FAILED" in bound_sentence(failed) and "5 of 5 samples" in bound_sentence(failed)


def test_a_bound_of_predictions_that_are_not_finite_claims_nothing(made):
    said = bound_sentence(made.effectivity("discrete", torch.inf))
    assert "says nothing of 5 of 5 samples" in said and "held" not in said


@pytest.mark.parametrize("error", [1.0, 1.3, torch.nan])
def test_a_network_that_is_no_better_than_zero_is_not_praised_for_its_speed(error):
    useless = replace(cost(2.0, 90.0), error=error)
    assert useless.ratio(1) is None
    (said,) = cost_sentences(useless)
    assert "zero takes no time" in said and "faster" not in said


@pytest.mark.parametrize("form", ["discrete", "continuum"])
def test_what_is_guaranteed_is_said_with_what_is_not_counted(made, form):
    said = guarantee(made.effectivity(form, 1.1))
    assert ("not counted" in said) == (form == "discrete")
    assert ("solution of the PDE" in said) == (form == "continuum")
    assert "every single input" in said


@pytest.mark.parametrize("measure", ["energy norm", "energy distance"])
def test_what_a_bound_measures_is_named(made, measure):
    said = guarantee(replace(made.effectivity("discrete", 1.1), measure=measure))
    assert f"the {measure}" in said and "{" not in said


def test_nothing_is_guaranteed_of_an_indicator(made):
    said = guarantee(replace(made.effectivity("discrete", 1.1), kind="indicator"))
    assert "nothing is claimed" in said and "every single input" not in said
