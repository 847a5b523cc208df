"""Scores: one number per sample that says how wrong a prediction is, in a norm or at all points at once."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Field = Float[Tensor, "b c *grid"]
Scale = Float[Tensor, "_ c *grid"]  # one for all samples, or one each
PerSample = Float[Tensor, " b"]


def norm_scores(error: PerSample, difficulty: PerSample) -> PerSample:
    """s = ||u - v|| / d, with d > 0 known without u: ||u - v|| <= q d holds whenever s <= q.

    0 / 0 is 0; an error without difficulty, and anything that is no number, is infinite.
    """
    return _ratio(error, difficulty)


def band_scores(error: Field, scale: Scale, share: float = 1.0) -> PerSample:
    """The least s with |u - v| <= s scale at a `share` of all points and channels; at all of them for share 1.

    Source: Z. Ma, K. Azizzadenesheli, A. Anandkumar, Calibrated uncertainty quantification for operator learning via
    conformal prediction, TMLR 2024.

    >>> error = torch.tensor([[[1.0, -2.0, 3.0, 8.0]]])
    >>> [band_scores(error, torch.ones_like(error), share).item() for share in (1.0, 0.75)]
    [8.0, 3.0]
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of the points is above 0 and at most 1, got {share:g}")
    ratios = _ratio(error.abs(), scale.expand(error.shape)).flatten(1)
    k = math.ceil(share * ratios.shape[1] * (1 - 1e-12))
    return ratios.sort(1).values[:, k - 1]


def within(error: Field, band: Field, share: float = 1.0) -> Bool[Tensor, " b"]:
    """Whether |u - v| <= band at that share of the points, for every sample."""
    return band_scores(error, band, share) <= 1


def channel_scale(error: Field) -> Float[Tensor, "1 c *grid"]:
    """Root mean square of residuals per channel, the same at every point."""
    size = error.double().square().mean([0, *range(2, error.ndim)], keepdim=True).sqrt()
    return size.expand(1, *error.shape[1:])


def residual_scale(error: Field, floor: float = 0.1) -> Float[Tensor, "1 c *grid"]:
    """Root mean square of residuals at every point, and at least `floor` times that of its channel."""
    size = error.double().square().mean(0, keepdim=True).sqrt()
    return torch.maximum(size, floor * channel_scale(error))


def spread_scale(spread: Field, usual: Float[Tensor, "1 c *grid"]) -> Field:
    """An ensemble's spread plus the usual error: few members agree somewhere by chance, and that is not certainty."""
    return spread.double() + usual.to(spread.device)


def _ratio(error: Tensor, scale: Tensor) -> Tensor:
    error, scale = error.double(), scale.to(error.device, torch.float64)
    ratio = torch.where(error == 0, 0.0, error / scale)
    return ratio.nan_to_num(nan=math.inf, posinf=math.inf)
