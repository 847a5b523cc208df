"""The neural spectral block: a field in the light of a few latent tokens per patch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Pointwise
from vcycle.spaces import Space


@dataclass(frozen=True)
class LatentOptions:
    """Tokens per patch, heads of the attention and M frequencies of the series.

    `published` is as P18 was released, with dead parameters: K and V have a bias, that of K seen by no softmax, and
    there are sines of frequency 0 instead of frequency M, and g = 1.
    """

    tokens: int
    heads: int
    frequencies: int
    published: bool = False


class SpectralBlock(nn.Module):
    """u -> u + g softmax(Q u z^T) z,   z = t + f(t),   t = q + softmax(q (K u)^T) V u,   on every patch by itself.

    A patch is a box of points of the grid; u holds its values, one row of channels per point. q are learned tokens: the
    first softmax is over the points of the patch and gives the tokens t their values, f is a TrigonometricSeries of
    each value, and the second softmax is over the tokens and gives every point its share of them. K, V and Q are
    matrices on the channels (Q with bias); attention runs for `heads` groups of channels by themselves, unscaled. The
    gate g, a number per channel, is 0 at first: training begins with the network around the block.

    The points of a patch have no order: the block commutes with every permutation of them. Cost is linear in the
    points. Source: P18, section 3.
    """

    def __init__(self, space: Space, options: LatentOptions):
        super().__init__()
        channels, heads = space.channels, options.heads
        if channels % heads:
            raise ValueError(
                f"a spectral block shares its {channels} channels out to {heads} heads: choose a width that is a "
                "multiple of the heads"
            )
        self.heads = heads
        self.keys_values = Pointwise(space, Space(space.domain, 2 * channels), bias=options.published)
        self.queries = Pointwise(space, space, bias=True)
        self.tokens = nn.Parameter(torch.rand(heads, options.tokens, channels // heads) / channels)
        first = 0 if options.published else 1
        self.series = TrigonometricSeries(channels, options.frequencies, first)
        self.gate = None if options.published else nn.Parameter(torch.zeros(channels))

    def forward(self, u: Float[Tensor, "b c *grid"], patch: Sequence[int]) -> Float[Tensor, "b c *grid"]:
        grid = tuple(u.shape[2:])
        if len(patch) != len(grid) or any(n % p for n, p in zip(grid, patch, strict=True)):
            raise ValueError(f"a grid of {grid} points cannot be cut into patches of {tuple(patch)} points")
        # Channels are (head, entry, K or V) of the first product, (head, entry) of the second; points come last.
        keys, values = _patches(self.keys_values(u), patch).unflatten(1, (self.heads, -1, 2)).unbind(3)
        queries = _patches(self.queries(u), patch).unflatten(1, (self.heads, -1))
        t = self.tokens + (self.tokens @ keys).softmax(-1) @ values.mT
        z = t + self.series(t.mT.flatten(1, 2)).unflatten(1, (self.heads, -1)).mT
        out = z.mT @ (z @ queries).softmax(-2)
        out = out.flatten(1, 2)
        return u + _field(out if self.gate is None else self.gate[:, None] * out, patch, grid)


class TrigonometricSeries(nn.Module):
    """f(z)_c = sum_m a_cm sin(pi s_m z_c) + b_cm cos(pi c_m z_c), with M sines and M cosines per channel c.

    Frequencies are c_m = 0, 1/M, ..., (M - 1)/M and s_m = first/M, ..., (first + M - 1)/M: with first = 0, as in P18,
    the sine of frequency 0 is 0 and its coefficient dead.
    """

    def __init__(self, channels: int, frequencies: int, first: int = 1):
        super().__init__()
        self.first = first
        self.weight = nn.Parameter(torch.rand(channels, 2 * frequencies) / channels)

    def forward(self, z: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        count = self.weight.shape[1] // 2
        m = torch.arange(count, dtype=z.dtype, device=z.device)
        phase = z[..., None] * (math.pi / count)
        basis = torch.cat([(phase * (m + self.first)).sin(), (phase * m).cos()], -1)
        return torch.einsum("bctm,cm->bct", basis, self.weight)


def _patches(u: Tensor, patch: Sequence[int]) -> Float[Tensor, "_ c _"]:
    """(b, c, *grid) to (b * patches, c, points of a patch)."""
    d = len(patch)
    for axis, points in enumerate(patch):
        u = u.unflatten(2 + 2 * axis, (-1, points))
    u = u.permute(0, *range(2, 2 + 2 * d, 2), 1, *range(3, 3 + 2 * d, 2))
    return u.flatten(1 + d + 1).flatten(0, d)


def _field(patches: Tensor, patch: Sequence[int], grid: Sequence[int]) -> Float[Tensor, "b c *grid"]:
    """The inverse of `_patches`."""
    d = len(patch)
    counts = [n // points for n, points in zip(grid, patch, strict=True)]
    u = patches.unflatten(2, tuple(patch)).unflatten(0, (-1, *counts))
    order = [index for axis in range(d) for index in (1 + axis, 2 + d + axis)]
    return u.permute(0, 1 + d, *order).reshape(u.shape[0], u.shape[1 + d], *grid)
