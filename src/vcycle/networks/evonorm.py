"""Layers that normalise and activate at once: EvoNorm-S0 and EvoNorm-B0."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import Space

GROUPS = 32  # as published
EPSILON = 1e-5
MOMENTUM = 0.1  # of the running variance of B0


class EvoNormS0(nn.Module):
    """sigma(u) = g u s(v u) / sqrt(var(u) + eps) + c, s the logistic function; g, v, c learned for every channel.

    var is the variance over the grid and a group of channels of one sample (32 groups, or as many of them as divide the
    channels), so samples never mix. No normalisation and no activation is needed beside it. Source: P20, section 5.
    """

    def __init__(self, space: Space):
        super().__init__()
        self.groups = math.gcd(GROUPS, space.channels)
        self.slope, self.gain, self.shift = _parameters(space)

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        grouped = u.unflatten(1, (self.groups, -1))
        axes = tuple(range(2, grouped.ndim))
        variance = grouped.var(axes, correction=0, keepdim=True).expand_as(grouped).flatten(1, 2)
        return self.gain * u * torch.sigmoid(self.slope * u) * (variance + EPSILON).rsqrt() + self.shift


class EvoNormB0(nn.Module):
    """sigma(u) = g u / max(sqrt(batch var + eps), v u + sqrt(var + eps)) + c; g, v, c learned for every channel.

    The batch variance is over batch and grid (in evaluation its running mean), var over the grid of one sample. No
    normalisation and no activation is needed beside it. Source: P20, section 5.
    """

    variance: Tensor

    def __init__(self, space: Space):
        super().__init__()
        self.slope, self.gain, self.shift = _parameters(space)
        self.register_buffer("variance", torch.ones(_shape(space)))

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        axes = tuple(range(2, u.ndim))
        over_batch = self.variance
        if self.training:
            over_batch = u.var((0, *axes), correction=0).view(self.variance.shape)
            with torch.no_grad():
                self.variance.lerp_(over_batch, MOMENTUM)
        alone = self.slope * u + (u.var(axes, correction=0, keepdim=True) + EPSILON).sqrt()
        return self.gain * u / torch.maximum((over_batch + EPSILON).sqrt(), alone) + self.shift


def _shape(space: Space) -> tuple[int, ...]:
    return (space.channels, *(1,) * space.domain.dimension)


def _parameters(space: Space) -> tuple[nn.Parameter, nn.Parameter, nn.Parameter]:
    """v = 1, g = 1 and c = 0."""
    shape = _shape(space)
    return nn.Parameter(torch.ones(shape)), nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
