"""The Galerkin and Fourier transformers: attention whose inner products are quadrature."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.attention import AttentionName, HeadNormName, attention_named
from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import Coordinates, append_coordinates
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.networks.spectral_decoder import BasisName, SpectralDecoder
from vcycle.networks.transformer_block import BlockOptions, NormPlacement, TransformerBlock
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Placement, Space, resample


class Transformer(nn.Module):
    """v_0 = P(a, x),   w_l = v_l + A_l v_l,   v_{l+1} = w_l + M_l w_l,   u = D(v_depth, a, x).

    A_l is attention (networks.attention) among the points of a grid: by default sum_j <k_j, v_i> q_j with the L2 inner
    product by quadrature. P and M_l are perceptrons on the channels. D is a SpectralDecoder: a matrix to
    `decoder_width` channels, `decoder_depth` neurons with a spectral W, and a perceptron on the channels.

    width, depth, heads   channels, blocks, and heads of every attention, which share the channels evenly
    attention             'galerkin', 'fourier', 'linear': linear cost in the points; 'softmax': quadratic
    points                so many at most attend: behind P a finer grid is averaged to a coarser one with the same
                          proportions, and interpolated back before D; None for all
    coordinates           x: 'cells', 'corners' or 'ends' of the unit box, or None
    head_norm             norm inside the heads: 'layer', 'instance' or None
    norm_placement        norms around A_l and M_l: 'none', 'pre', 'post' or 'peri' (transformer_block.Residual)
    mlp_expansion         channels inside M_l over width
    activation            sigma, by name
    modes, basis          of D: modes kept, one number or one per axis, of the basis that fits the boundary conditions
                          ('domain') or of 'fourier'
    placement             where the points of the grid lie: 'cell' or 'vertex'
    zero_boundary         u = 0 at the vertices of Dirichlet faces; needs placement='vertex'
    dropout               probability of zeroing an inner product <k_j, v_i>, a value of A_l and a value of M_l
    gain, diagonal        start of the matrices in A_l (networks.attention)

    Runs at every resolution: the attention converges as its points are refined. Without coordinates, and with all
    points attending, it commutes with all grid shifts of fields on a periodic box. Source: P238.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 96,
        depth: int = 4,
        heads: int = 4,
        attention: AttentionName = "galerkin",
        points: int | None = 256,
        coordinates: Coordinates | None = "cells",
        head_norm: HeadNormName | None = "layer",
        norm_placement: NormPlacement = "peri",
        mlp_expansion: float = 2.0,
        activation: str = "gelu",
        decoder_width: int = 32,
        decoder_depth: int = 2,
        modes: int | Sequence[int] = 12,
        basis: BasisName = "domain",
        placement: Placement = "cell",
        zero_boundary: bool = False,
        dropout: float = 0.0,
        gain: float = 1e-2,
        diagonal: float = 1e-2,
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("Transformer", in_channels=in_channels, heads=heads, points=points)
        check_counts("Transformer", least=0, depth=depth, decoder_depth=decoder_depth)
        self.domain = Domain.unit(2) if domain is None else domain
        d = self.domain.dimension
        if placement not in ("cell", "vertex"):
            raise ValueError(f"unknown placement {placement!r}: expected 'cell' or 'vertex', where the points lie")
        if zero_boundary and (placement != "vertex" or not any("dirichlet" in faces for faces in self.domain.boundary)):
            raise ValueError(
                f"zero_boundary sets the values on Dirichlet faces, but on {self.domain} with placement={placement!r} "
                "no point lies on one: set zero_boundary=False, or placement='vertex' on a domain with such a face"
            )
        self.in_channels, self.points, self.coordinates = in_channels, points, coordinates
        self.placement, self.zero_boundary = placement, zero_boundary
        axes = 0 if coordinates is None else d

        def space(channels: int) -> Space:
            return Space(self.domain, channels, placement)

        options = BlockOptions(
            heads=heads,
            attention=attention_named(attention),
            coordinates=axes,
            head_norm=head_norm,
            norm_placement=norm_placement,
            mlp_expansion=mlp_expansion,
            activation=activation,
            dropout=dropout,
            gain=gain,
            diagonal=diagonal,
        )
        v = space(width)
        self.lift = ChannelPerceptron(space(in_channels + axes), v, v, activation_named(activation, v))
        self.blocks = nn.ModuleList(TransformerBlock(v, options) for _ in range(depth))
        self.decoder = SpectralDecoder(
            space(width + in_channels + axes),
            [space(decoder_width)] * (decoder_depth + 1),
            space(2 * d * decoder_width),
            space(out_channels),
            (modes,) * d if isinstance(modes, int) else tuple(modes),
            basis=basis,
            activation=activation,
        )

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("Transformer", x, self.in_channels, self.domain)
        shape = tuple(x.shape[2:])
        a = append_coordinates(x, self.coordinates)
        v = self._resampled(self.lift(a), self._coarse_grid(shape))
        at = None if self.coordinates is None else append_coordinates(v[:, :0], self.coordinates)
        for block in self.blocks:
            v = block(v, at)
        u = self.decoder(torch.cat([self._resampled(v, shape), a], 1))
        return self._zeroed(u) if self.zero_boundary else u

    def _coarse_grid(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        count = math.prod(shape)
        if self.points is None or count <= self.points:
            return shape
        ratio = (self.points / count) ** (1 / len(shape))
        return tuple(max(1, math.floor(n * ratio + 1e-9)) for n in shape)

    def _resampled(self, v: Float[Tensor, "b c ..."], shape: tuple[int, ...]) -> Float[Tensor, "b c ..."]:
        return v if tuple(v.shape[2:]) == shape else resample(v, self.domain, shape, self.placement)

    def _zeroed(self, u: Float[Tensor, "b o *grid"]) -> Float[Tensor, "b o *grid"]:
        """u with exact zeros at the outermost points of Dirichlet faces."""
        margins = [[int(face == "dirichlet") for face in faces] for faces in self.domain.boundary]
        for dim, (low, high) in enumerate(margins, start=2):
            if u.shape[dim] < 2:
                raise ValueError(f"zero_boundary needs 2 or more vertices along every axis, got {tuple(u.shape[2:])}")
            u = u.narrow(dim, low, u.shape[dim] - low - high)
        return F.pad(u, [m for pair in reversed(margins) for m in pair])

    def extra_repr(self) -> str:
        return f"points={self.points}, {count_parameters(self)} parameters"
