import json

import pytest
import torch
from scipy.stats import binom

from analysis.example import example
from vcycle.analysis import Case, Coverage, render_report
from vcycle.analysis.band_plot import plot_bands
from vcycle.analysis.coverage import Share
from vcycle.analysis.findings import coverage_sentence
from vcycle.spaces import Domain


def coverage(held: int, samples: int, level: float = 0.9, quantity="l2") -> Coverage:
    size = torch.linspace(0.1, 0.2, samples, dtype=torch.float64)
    return Coverage(
        "test", quantity, level, 100, torch.arange(samples) < held, size, {"size of the solution": -size},
        torch.zeros(samples, dtype=torch.bool),
    )  # fmt: skip


@pytest.mark.parametrize(("held", "samples"), [(0, 5), (3, 10), (18, 20), (20, 20)])
def test_the_binomial_interval_is_where_neither_tail_is_below_its_share(held, samples):
    low, high = Share(held, samples).interval
    if held > 0:
        assert binom(samples, low).sf(held - 1) == pytest.approx(0.025, rel=1e-6)
    if held < samples:
        assert binom(samples, high).cdf(held) == pytest.approx(0.025, rel=1e-6)
    assert low <= held / samples <= high


def test_the_interval_covers_the_probability_as_often_as_it_says():
    probability, n = 0.85, 40
    covered = sum(
        binom(n, probability).pmf(k)
        for k in range(n + 1)
        if Share(k, n).interval[0] <= probability <= Share(k, n).interval[1]
    )
    assert 0.95 <= covered <= 1


def test_thirds_are_those_of_the_difficulty():
    found = coverage(4, 9).thirds("size of the solution")  # held where the size is smallest: largest difficulty
    assert {name: (share.held, share.samples) for name, share in found.items()} == {
        "low": (0, 3),
        "middle": (1, 3),
        "high": (3, 3),
    }


def test_too_little_coverage_is_said_aloud_and_chance_is_not():
    assert not coverage(30, 40).consistent
    assert "75" in coverage_sentence(coverage(30, 40))
    assert "LESS than nominal" in coverage_sentence(coverage(30, 40))
    assert coverage(34, 40).consistent
    assert "LESS" not in coverage_sentence(coverage(34, 40))


def cases(dimension: int) -> tuple[Case, ...]:
    """The same sample with a finite and with an infinite band."""
    case = example(Domain.unit(dimension), 8).cases[0]
    return tuple(
        Case(f"{name} case", case.inputs, case.reference, case.prediction, torch.full_like(case.prediction, width))
        for name, width in (("Median", 1e-4), ("Worst", torch.inf))
    )


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_band_is_drawn_around_the_prediction_where_it_is_finite(dimension):
    finite, infinite = plot_bands(cases(dimension), Domain.unit(dimension), "cell", "u").axes
    assert len(infinite.collections) == 0
    outline = finite.collections[0].get_paths()[0].vertices[:, 1]
    prediction = finite.lines[1].get_ydata()
    assert outline.max() == pytest.approx(prediction.max() + 1e-4, rel=1e-12)
    assert outline.min() == pytest.approx(prediction.min() - 1e-4, rel=1e-12)


def test_the_report_has_a_table_and_a_picture_of_the_band():
    rows = (coverage(30, 40), coverage(37, 40, quantity="band"))
    changed = example(Domain.unit(1), 8, cases=cases(1), coverage=rows)
    page = render_report(changed)
    assert "Calibrated bounds" in page and "30 of 40" in page and "calibrated band on the middle line" in page
    assert "Calibrated bounds" not in render_report(example(Domain.unit(1), 8))
    found = json.loads(json.dumps(changed.to_dict(), allow_nan=False))["coverage"]
    assert [row["coverage"]["held"] for row in found] == [30, 37]
    assert found[0]["coverage"]["interval"] == pytest.approx(list(Share(30, 40).interval))
