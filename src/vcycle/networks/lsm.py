"""LSM: a U-Net that passes what it keeps of every grid through a few latent tokens."""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.checks import check_counts
from vcycle.networks.coordinates import CoordinatesOrAuto
from vcycle.networks.norms import NormName
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.networks.spectral_block import LatentOptions
from vcycle.networks.spectral_unet import SpectralUNet, UNetOptions, Upsampling
from vcycle.networks.stencil_network import StencilNetwork
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Domain, Placement, Space


class LSM(StencilNetwork):
    """v = P(a, x),   e_1 = C_1 v,   e_{s+1} = C_{s+1} max e_s,   d_s = D_s (T_s e_s, P_s d_{s+1}),   u = Q d_1.

    C_s and D_s are pairs of neurons sigma(N(W v)) with 3-point stencils W, on grids s = 1, ..., levels that halve; T_s
    is a SpectralBlock: v + softmax(Q v z^T) z with a few tokens z = t + f(t), t = q + softmax(q (K v)^T) V v per patch.
    P is a matrix and Q a perceptron on the channels, x are coordinates appended to the input.

    width, levels        channels on the finest grid, which double from grid to grid, and number of grids
    tokens               latent tokens per patch and head; 0 leaves the spectral blocks out: a plain U-Net
    heads                groups of channels with tokens of their own; a divisor of the width
    frequencies          M sines and M cosines of every token value in f, of frequencies up to pi
    patch                points of a patch on every grid, one number, or one per axis; None: as many as the coarsest
                         grid has, so that a patch is the same part of the domain at every resolution
    activation           sigma, by name
    norm, norm_groups    N: 'group' (of `norm_groups`), 'instance', 'layer', 'batch' (as published), or None: a bias
    upsampling           P_s: 'linear' interpolation between cell centres, or 'learned', or linear between points of
                         which the outermost are the 'ends' of an axis (as published)
    coordinates          'cells' (centres), 'corners' (k / n) or 'ends' (k / (n - 1)) of the unit box, or None
    padding              zeros appended at the end of every axis after P and removed before Q, one number of points, or
                         one per axis, for sizes that do not fit: sizes with padding are multiples of
                         2^(levels - 1), and of 2^(levels - 1) patch where a patch is given
    projection_ratio     channels inside Q over width
    resolution           the grid that the stencils belong to, best the training grid (StencilNetwork)
    placement            what the values of `resolution` stand for: 'cell' or 'vertex'

    Without coordinates, on a periodic domain and with a given patch, the network commutes with shifts by
    2^(levels - 1) patch points. Source: P18.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 24,
        levels: int = 4,
        tokens: int = 4,
        heads: int = 4,
        frequencies: int = 12,
        patch: int | Sequence[int] | None = None,
        activation: str = "gelu",
        norm: NormName | None = "group",
        norm_groups: int = 1,
        upsampling: Upsampling = "linear",
        coordinates: CoordinatesOrAuto | None = "cells",
        padding: int | Sequence[int] = 0,
        projection_ratio: float = 2.0,
        resolution: int | Sequence[int] | None = None,
        placement: Placement = "cell",
        domain: Domain | None = None,
    ):
        super().__init__(in_channels, domain, coordinates, resolution, placement)
        check_counts("LSM", levels=levels, heads=heads, frequencies=frequencies, norm_groups=norm_groups)
        check_counts("LSM", least=0, tokens=tokens)
        d = self.domain.dimension
        self.width, self.levels = width, levels
        self.patch = None if patch is None else _per_axis("patch", patch, d, least=1)
        self.padding = _per_axis("padding", padding, d, least=0)
        if any(p and self.domain.periodic(axis) for axis, p in enumerate(self.padding)):
            raise ValueError(
                f"a periodic axis has no end where zeros could be appended, got padding={padding} on {self.domain}: "
                "take a resolution that fits"
            )
        hidden = Space(self.domain, width)
        latent = LatentOptions(tokens, heads, frequencies) if tokens else None
        self.lift = Pointwise(Space(self.domain, self.seen_channels), hidden, bias=True)
        self.unet = SpectralUNet(hidden, UNetOptions(levels, activation, norm, norm_groups, upsampling, latent))
        inner = Space(self.domain, round(projection_ratio * width))
        self.project: nn.Module = ChannelPerceptron(
            hidden, inner, Space(self.domain, out_channels), activation_named(activation, inner)
        )

    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        shape = tuple(x.shape[2:])
        patch = self._patch(shape)
        v = self.lift(x.contiguous())  # the spectral blocks multiply rows of points, channel by channel
        if any(self.padding):
            v = F.pad(v, [n for p in reversed(self.padding) for n in (0, p)])
        v = self.unet(v, patch)
        for dim, n in enumerate(shape, start=2):
            v = v.narrow(dim, 0, n)
        return self.project(v)

    def _patch(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The points of a patch on a grid of that shape."""
        coarsest, patch = 2 ** (self.levels - 1), self.patch or (1,) * len(shape)
        padded = [n + p for n, p in zip(shape, self.padding, strict=True)]
        if any(n % (coarsest * p) for n, p in zip(padded, patch, strict=True)):
            patches = "" if self.patch is None else f" and cuts every grid into patches of {self.patch} points"
            missing = tuple(-n % (coarsest * p) for n, p in zip(shape, patch, strict=True))
            raise ValueError(
                f"LSM with {self.levels} levels halves the grid {self.levels - 1} times{patches}, which {shape} points "
                f"with padding={self.padding} do not allow: choose padding={missing}, or another resolution"
            )
        return tuple(n // coarsest for n in padded) if self.patch is None else patch

    def extra_repr(self) -> str:
        return f"levels={self.levels}, width={self.width}, {count_parameters(self)} parameters"


def _per_axis(name: str, value: int | Sequence[int], dimension: int, least: int) -> tuple[int, ...]:
    values = (value,) * dimension if isinstance(value, int) else tuple(value)
    if len(values) != dimension or min(values) < least:
        raise ValueError(
            f"got {name}={value} for {dimension} axes: give one number of points for all, or one per axis, each "
            f"{least} or more"
        )
    return values
