"""The Cauchy activation of XNet."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import Space

LEAST_WIDTH = 0.1  # keeps the poles +-i d away from the real axis


class Cauchy(nn.Module):
    """sigma(u) = (l1 u + l2) / (u^2 + d^2), with l1, l2 and d > 0.1 learned for every channel.

    The real part of a Cauchy kernel: one neuron is a rational function with poles at +-i d, bounded by
    |l1| / (2 d) + |l2| / d^2, and it falls like 1 / u away from 0. It starts as 2 u / (u^2 + 1), an odd function with
    values in [-1, 1] and slope 2 at 0. Source: P297; arXiv 2409.19221, section 2.
    """

    def __init__(self, space: Space):
        super().__init__()
        shape = (space.channels, *(1,) * space.domain.dimension)
        self.odd = nn.Parameter(torch.full(shape, 2.0))
        self.even = nn.Parameter(torch.zeros(shape))
        # softplus(width) + LEAST_WIDTH = 1 at the start
        self.width = nn.Parameter(torch.full(shape, 1 - LEAST_WIDTH).expm1().log())

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        d = F.softplus(self.width) + LEAST_WIDTH
        return (self.odd * u + self.even) / (u.square() + d.square())
