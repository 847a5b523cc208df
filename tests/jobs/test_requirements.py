"""Numbers that make no sense are refused by every verb, before anything is read."""

import math

import pytest

from vcycle.jobs import calibrate, evaluate, march, predict, solve


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        (solve, {"tolerance": 0.0}, "--tolerance must be a number above 0, got 0"),
        (solve, {"tolerance": -1.0}, "--tolerance must be a number above 0, got -1"),
        (solve, {"tolerance": math.nan}, "--tolerance must be a number above 0, got nan"),
        (march, {"steps": 0}, "--steps must be a number of 1 or more, got 0"),
        (march, {"steps": 2, "tolerance": 0.0}, "--tolerance must be a number above 0, got 0"),
        (predict, {"tighten": -3}, "--tighten must be a number of 0 or more, got -3"),
    ],
)
def test_of_verbs_with_inputs(verb, options, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        verb(tmp_path, "no.npy", **options)


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        (evaluate, {"tighten": -3}, "--tighten must be a number of 0 or more, got -3"),
        (evaluate, {"lyapunov": -1.0}, "--lyapunov must be a number above 0, got -1"),
        (evaluate, {"samples": -3}, "--samples must be a number of 1 or more, got -3"),
        (calibrate, {"samples": -7}, "--samples must be a number of 1 or more, got -7"),
    ],
)
def test_of_the_other_verbs(verb, options, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        verb(tmp_path, **options)
