"""The coverage theorem, exactly: ranks of exchangeable scores are uniform, coverage of one set has a Beta law."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from vcycle.hybrid.conformal import Realised, fewest, p_value, quantile, rank


@pytest.mark.parametrize("level", [0.5, 0.75, 0.8, 0.9])
@pytest.mark.parametrize("n", [1, 3, 4, 5])
def test_of_all_orders_of_all_scores_exactly_k_in_n_plus_one_are_covered(n, level):
    """Exchangeability makes every order equally likely, so counting them is the probability, without chance."""
    orders = list(permutations([float(i) for i in range(n + 1)]))
    covered = sum(fresh <= quantile(torch.tensor(scores), level) for *scores, fresh in orders)
    assert covered * (n + 1) == len(orders) * rank(n, level)
    assert level <= rank(n, level) / (n + 1) <= level + 1 / (n + 1)


@pytest.mark.parametrize(("n", "level"), [(19, 0.9), (50, 0.8), (100, 0.95)])
def test_coverage_of_one_calibration_set_has_the_law_of_vovk(n, level):
    """The scores are uniform, so that the coverage given the set is the quantile itself."""
    sets = torch.rand(4000, n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    coverage = np.array([quantile(scores, level) for scores in sets])
    k, law = rank(n, level), Realised.of(n, level, 0.9)
    assert kstest(coverage, beta(k, n + 1 - k).cdf).pvalue > 1e-3
    assert abs(coverage.mean() - law.mean) < 4 * coverage.std() / math.sqrt(len(coverage))
    inside = ((coverage >= law.low) & (coverage <= law.high)).mean()
    assert abs(inside - 0.9) < 4 * math.sqrt(0.09 / len(coverage))


def test_ties_cost_no_coverage():
    random = torch.Generator().manual_seed(3)
    rolls = torch.randint(1, 4, (4000, 20), generator=random).double()
    covered = [float(roll[0]) <= quantile(roll[1:], 0.9) for roll in rolls]
    assert np.mean(covered) >= 0.9


@pytest.mark.parametrize("level", [0.5, 0.55, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_too_few_samples_give_an_infinite_bound_and_one_more_a_finite_one(level):
    least = fewest(level)
    assert quantile(torch.rand(least - 1), level) == math.inf
    assert quantile(torch.rand(least), level) < 1


def test_ranks_are_those_of_decimal_levels():
    """In binary 100 * 0.55 is 55.00000000000001, whose ceiling is one too many."""
    assert rank(99, 0.55) == 55
    assert [rank(n, 0.9) for n in (9, 10, 19, 99)] == [9, 10, 18, 90]


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 90.0])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(torch.rand(5), level)


def test_order_does_not_matter_and_what_is_no_number_counts_as_infinite():
    scores = torch.rand(30, generator=torch.Generator().manual_seed(1))
    assert quantile(scores, 0.9) == quantile(scores[torch.randperm(30)], 0.9)
    scores[:3] = torch.nan
    assert quantile(scores, 0.9) == math.inf  # the 28th of 30, where 27 are numbers
    assert quantile(scores, 0.8) < 1


@pytest.mark.parametrize("n", [1, 4, 9])
def test_p_values_are_uniform_on_the_ranks(n):
    scores = torch.arange(n + 1.0)
    p = sorted(float(p_value(scores[i : i + 1], torch.cat([scores[:i], scores[i + 1 :]]))) for i in range(n + 1))
    assert p == pytest.approx([(i + 1) / (n + 1) for i in range(n + 1)], abs=1e-15)


def test_an_input_that_is_no_number_is_as_far_as_can_be():
    assert float(p_value(torch.tensor([torch.nan]), torch.arange(9.0))) == 0.1
