"""Five numbers, and what becomes of numbers that are none."""

import json
import math

import pytest
import torch

from vcycle.analysis import Summary
from vcycle.analysis.summary import plain


def test_the_five_numbers_of_one_to_a_hundred():
    summary = Summary.of(torch.arange(1.0, 101.0).flip(0))
    assert (summary.least, summary.mean, summary.median, summary.q95, summary.worst) == (1, 50.5, 50.5, 95, 100)
    assert summary.samples == 100


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 40])
def test_at_least_95_percent_of_the_samples_do_not_exceed_q95_and_fewer_stay_below(count):
    values = torch.rand(count, generator=torch.Generator().manual_seed(count))
    q95 = Summary.of(values).q95
    assert (values.double() <= q95).double().mean() >= 0.95
    assert (values.double() < q95).double().mean() < 0.95


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_failure_is_the_worst_case_and_leaves_the_median(bad):
    summary = Summary.of(torch.tensor([0.1, bad, 0.3, 0.2, 0.2]))
    assert summary.worst == summary.mean == math.inf
    assert summary.median == pytest.approx(0.2)
    assert json.loads(json.dumps(summary.to_dict(), allow_nan=False))["worst"] is None
    assert plain(torch.tensor([1.0, bad])) == [1.0, None]


def test_nothing_has_no_summary():
    with pytest.raises(ValueError, match="at least one sample"):
        Summary.of(torch.empty(0))
