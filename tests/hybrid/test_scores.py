import math

import pytest
import torch

from vcycle.hybrid.conformal import quantile
from vcycle.hybrid.scores import band_scores, channel_scale, norm_scores, residual_scale, spread_scale, within

RANDOM = torch.Generator().manual_seed(0)


def noise(*shape):
    return torch.randn(*shape, generator=RANDOM, dtype=torch.float64)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999, 1.0])
def test_a_band_holds_at_that_share_of_the_points_and_no_narrower_one_does(share):
    error, scale = noise(5, 2, 8, 8), 0.1 + noise(5, 2, 8, 8).abs()
    scores = band_scores(error, scale, share)
    for e, r, s in zip(error, scale, scores, strict=True):
        assert (e.abs() <= s * r * (1 + 1e-14)).double().mean() >= share
        assert (e.abs() <= s * r * (1 - 1e-12)).double().mean() < share
    wide = scores.view(-1, 1, 1, 1) * scale * (1 + 1e-14)
    assert bool(within(error, wide, share).all())
    assert not bool(within(error, 0.999 * wide, share).any())


def test_shares_of_points_are_not_lost_to_rounding():
    error = torch.arange(1.0, 11.0).view(1, 1, 10)
    for tenths in range(1, 11):
        assert band_scores(error, torch.ones_like(error), tenths / 10).item() == tenths


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_lies_between_none_and_all(share):
    with pytest.raises(ValueError, match="share of the points"):
        band_scores(noise(1, 1, 4), torch.ones(1, 1, 4), share)


def test_bands_cover_whole_fields_of_dependent_points():
    """Rank k of n + 1 again, now of fields: the points of one field may depend in any way."""
    n, level, sets = 19, 0.9, 2000
    fields = noise(sets, n + 1, 1, 1) * (1 + noise(sets, n + 1, 1, 16).cumsum(3).abs())
    scale = residual_scale(noise(50, 1, 1) * (1 + noise(50, 1, 16).cumsum(2).abs()))
    held = []
    for sample in fields:
        scores = band_scores(sample, scale)
        held.append(float(scores[-1]) <= quantile(scores[:-1], level))
    assert abs(sum(held) / sets - 0.9) < 4 * math.sqrt(0.09 / sets)


def test_an_error_without_difficulty_is_infinite_and_none_is_zero():
    error, difficulty = torch.tensor([0.0, 1.0, torch.nan, 1.0, 2.0]), torch.tensor([0.0, 0.0, 1.0, torch.nan, 4.0])
    assert norm_scores(error, difficulty).tolist() == [0.0, math.inf, math.inf, math.inf, 0.5]


def test_scales_are_sizes_of_residuals_with_a_floor():
    error = noise(40, 2, 8) * torch.tensor([1.0, 1e-6]).view(1, 2, 1)
    error[:, 0, 3] = 0
    one, every = channel_scale(error), residual_scale(error)
    assert one[0, :, 0].tolist() == pytest.approx(error.square().mean([0, 2]).sqrt().tolist(), rel=1e-12)
    assert bool((one == one[..., :1]).all())
    assert every[0, 0, 3].item() == pytest.approx(0.1 * one[0, 0, 0].item(), rel=1e-12)
    assert every[0, 1, 5].item() == pytest.approx(error[:, 1, 5].square().mean().sqrt().item(), rel=1e-12)
    assert torch.equal(spread_scale(torch.ones(3, 2, 8), one), 1 + one.expand(3, 2, 8))
