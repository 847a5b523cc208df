"""A bound is judged on every sample, and a failure cannot hide."""

import pytest
import torch

from vcycle.analysis import Effectivity


def effectivity(bound: list[float], error: list[float], slack: float = 1e-6) -> Effectivity:
    size, known = (torch.full((len(bound),), value, dtype=torch.float64) for value in (10.0, slack))
    bounds, errors = torch.tensor(bound, dtype=torch.float64), torch.tensor(error, dtype=torch.float64)
    return Effectivity("discrete", "guaranteed", bounds, errors, size, known)


def test_ratios_and_relative_bounds():
    found = effectivity([1.0, 3.0, 2.2], [1.0, 2.0, 2.0])
    assert found.ratio.tolist() == pytest.approx([1.0, 1.5, 1.1])
    assert found.relative.tolist() == pytest.approx([0.1, 0.3, 0.22])
    assert found.violations == 0
    assert found.to_dict()["ratio"]["median"] == pytest.approx(1.1)


def test_one_sample_below_its_error_is_a_violation():
    found = effectivity([1.0, 1.999, 3.0], [1.0, 2.0, 2.0])
    assert found.held.tolist() == [True, False, True]
    assert found.to_dict()["violations"] == 1


def test_only_the_accuracy_of_the_error_itself_is_forgiven():
    assert effectivity([1.999], [2.0], slack=1e-3).violations == 0
    assert effectivity([1.99], [2.0], slack=1e-3).violations == 1


def test_numbers_that_are_none_are_no_bound():
    assert effectivity([float("nan")], [1.0]).violations == 1
    assert effectivity([float("inf")], [1.0]).violations == 0
    assert effectivity([0.0], [0.0]).violations == 0
