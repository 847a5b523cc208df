"""A U-Net whose skip connections pass through spectral blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation
from vcycle.networks.neuron import Neurons
from vcycle.networks.norms import NormName, normalisation
from vcycle.networks.spectral_block import LatentOptions, SpectralBlock
from vcycle.operators import Interpolation, Prolongation, Stencil, Stretching
from vcycle.spaces import Space

Upsampling = Literal["linear", "ends", "learned"]
POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


@dataclass(frozen=True)
class UNetOptions:
    """See LSM for the meaning; latent=None leaves the spectral blocks out."""

    levels: int
    activation: str
    norm: NormName | None
    norm_groups: int
    upsampling: Upsampling
    latent: LatentOptions | None


class SpectralUNet(nn.Module):
    """e_1 = C_1 v,   e_{s+1} = C_{s+1} max e_s,   d_L = T_L e_L,   d_s = D_s (T_s e_s, P_s d_{s+1}),   v -> d_1.

    max takes the largest of the two values per axis to the next coarser grid, P_s comes back to the finer one, T_s are
    spectral blocks, C_s and D_s two layers of neurons with 3-point stencils: sigma(N(W v)). Channels double from grid
    to grid; the coarsest has as many as the one before unless P_s is learned and halves them.
    """

    def __init__(self, space: Space, options: UNetOptions):
        super().__init__()
        self.space = space
        learned = options.upsampling == "learned"
        widths = [space.channels * 2**level for level in range(options.levels)]
        if not learned and options.levels > 1:
            widths[-1] = widths[-2]
        spaces = [Space(space.domain, width) for width in widths]
        pairs = list(pairwise(spaces))
        self.encoder = nn.ModuleList(
            [_double(space, space, space, options), *(_double(fine, coarse, coarse, options) for fine, coarse in pairs)]
        )
        self.blocks = nn.ModuleList()
        if options.latent is not None:
            self.blocks.extend(SpectralBlock(level, options.latent) for level in spaces)
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        for level, (fine, coarse) in enumerate(pairs):
            both = Space(space.domain, 2 * fine.channels)
            self.up.append(_upsampling(options.upsampling, coarse, fine))
            # The decoder ends with what the next finer grid expects from above.
            target = fine if learned or level == 0 else spaces[level - 1]
            self.decoder.append(_double(both, fine, target, options))

    def forward(self, v: Float[Tensor, "b c *grid"], patch: Sequence[int]) -> Float[Tensor, "b c *grid"]:
        skips = []
        for level, layers in enumerate(self.encoder):
            v = layers(v if level == 0 else POOL[v.ndim - 2](v, 2))
            skips.append(v)
        if self.blocks:
            skips = [block(skip, patch) for block, skip in zip(self.blocks, skips, strict=True)]
        d = skips.pop()
        for up, layers, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips), strict=True):
            d = layers(torch.cat([skip, up(d)], 1))
        return d


class Halving(nn.Module):
    """P u + b, with half the channels on twice the points: every value makes two per axis, by a learned matrix each."""

    def __init__(self, source: Space, target: Space):
        super().__init__()
        self.P = Prolongation(source, target, kernel=2, padding=0)
        self.bias = nn.Parameter(torch.zeros(target.channels))

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *finer"]:
        return self.P(u) + self.bias.view(-1, *(1,) * (u.ndim - 2))


def _double(source: Space, middle: Space, target: Space, options: UNetOptions) -> nn.Sequential:
    layers = []
    for i, o in ((source, middle), (middle, target)):
        W = Stencil(i, o, bias=options.norm is None)
        norm = normalisation(options.norm, o, options.norm_groups)
        layers.append(Neurons(W, None, activation(options.activation, o), norm=norm))
    return nn.Sequential(*layers)


def _upsampling(name: Upsampling, coarse: Space, fine: Space) -> nn.Module:
    if name == "learned":
        return Halving(coarse, fine)
    if name == "ends":
        return Stretching(coarse)
    if name == "linear":
        return Interpolation(coarse)
    raise ValueError(f"unknown upsampling {name!r}: expected 'linear', 'ends' or 'learned'")
