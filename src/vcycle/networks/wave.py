"""The wave of SineNet: a thin U-Net whose coarse levels see its input."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.convolution_block import BlockChain, LayerOptions
from vcycle.operators.resampling import Average, Interpolation, InterpolationName
from vcycle.spaces import Space

PoolingName = Literal["average", "max"]
MAXIMUM = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


@dataclass(frozen=True)
class WaveOptions:
    """What the waves of one SineNet have in common; SineNet explains every field."""

    layers: LayerOptions
    blocks: int
    disentangled: bool
    shortcut: bool
    pooling: PoolingName
    interpolation: InterpolationName


class Wave(nn.Module):
    """h_0 = d_0 = v;   h_i = D_i(A h_{i-1}, d_i),  d_i = A d_{i-1}  going down;   u_i = C_i(h_i, P u_{i+1})  going up.

    A pools 2^d cells to one, P interpolates, D and C are convolution blocks, and the wave returns u_0. The shortcut of
    D starts from A h_{i-1}, that of C from P u_{i+1}. d_i is left out at i = 1, where it equals A h_0, and everywhere
    in a tangled wave.
    """

    def __init__(self, spaces: Sequence[Space], options: WaveOptions):
        super().__init__()
        self.disentangled = options.disentangled
        finest, ghost = spaces[0], options.layers.ghost
        # As released: stencils may see zeros or reflections beyond a face, interpolation continues constants there.
        ghost = "replicate" if ghost in ("zeros", "reflect") else ghost

        def chain(beside: int, through: Space, target: Space) -> BlockChain:
            source = Space(through.domain, through.channels + beside)
            return BlockChain(source, through, target, options.blocks, options.layers, options.shortcut)

        self.D, self.C = nn.ModuleList(), nn.ModuleList()
        self.A, self.P = nn.ModuleList(), nn.ModuleList()
        for level, (fine, coarse) in enumerate(itertools.pairwise(spaces)):
            self.A.append(_pool(options.pooling, fine))
            self.D.append(chain(finest.channels if self.disentangled and level > 0 else 0, fine, coarse))
            self.P.append(Interpolation(coarse, options.interpolation, ghost=ghost))
            self.C.append(chain(fine.channels, coarse, fine))
        self.A_input = _pool(options.pooling, finest)

    def forward(self, v: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        fields, d = [v], v
        for level, (A, D) in enumerate(zip(self.A, self.D, strict=True)):
            h, d = A(fields[-1]), self.A_input(d)
            fields.append(D(torch.cat([h, d], 1) if self.disentangled and level > 0 else h, h))
        u = fields.pop()
        for P, C in zip(reversed(self.P), reversed(self.C), strict=True):
            u = P(u)
            u = C(torch.cat([fields.pop(), u], 1), u)
        return u


class Maximum(nn.Module):
    """The largest of the 2^d cells of a coarse cell, per channel."""

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *coarse"]:
        return MAXIMUM[u.ndim - 2](u, 2)


def _pool(name: PoolingName, space: Space) -> nn.Module:
    if name == "average":
        return Average(space)
    if name == "max":
        return Maximum()
    raise ValueError(f"unknown pooling {name!r}: expected 'average' or 'max'")
