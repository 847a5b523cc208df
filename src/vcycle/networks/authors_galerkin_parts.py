"""What only the released code of P238 has: tokens as rows, convolutions around bilinear interpolation, its dropout."""

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.attention import Attention, Heads, Kind, galerkin, linear
from vcycle.networks.transformer_block import TransformerBlock
from vcycle.operators import Fourier, Pointwise, Stencil
from vcycle.spaces import Domain, Space

SQUARE = Domain.unit(2)
Size = int | Sequence[int] | float
Rows = Float[Tensor, "b _ _"]  # (batch, token, channel)


def divided(kind: Kind) -> Kind:
    """'galerkin' and 'linear' as released: the sum over the keys is divided by the number of queries; 'linear', whose
    keys have sum 1 already, is divided too, so that it vanishes as the grid is refined."""

    def galerkin_released(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
        return galerkin(q, k, v, dropout) * (k.shape[-1] / q.shape[-1])

    def linear_released(q: Heads, k: Heads, v: Heads, dropout: nn.Module) -> Heads:
        return linear(q, k, v, dropout) / q.shape[-1]

    return {galerkin: galerkin_released, linear: linear_released}.get(kind, kind)


class AlwaysDropout(nn.Module):
    """Half of the entries zeroed, the others doubled, in evaluation too: what the released code does to <k_j, v_l>."""

    def forward(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return F.dropout(u, 0.5, training=True)


class Negated(nn.Module):
    """-f(u): a residual to subtract."""

    def __init__(self, f: nn.Module):
        super().__init__()
        self.f: nn.Module = f

    def forward(self, *u: Tensor | None) -> Tensor:
        return -self.f(*u)


class RowAttention(nn.Module):
    """Attention of rows of a token each, (b, n, c), at points (b, n, p)."""

    def __init__(self, attention: Attention, coordinates: int):
        super().__init__()
        self.attention, self.coordinates = attention, coordinates

    def forward(self, query: Rows, key: Rows, value: Rows, pos: Rows | None = None) -> Rows:
        x = pos.mT if pos is not None and self.coordinates else None
        return self.attention(query.mT, key.mT, value.mT, x).mT


class RowTransformer(nn.Module):
    """Rows (b, n, c) to rows (b, n, o): u = D(v_L [+ v_0], grid), v_0 = P a, v_l by the blocks at the points `pos`."""

    def __init__(
        self,
        lift: nn.Module,
        blocks: Sequence[TransformerBlock],
        decoder: nn.Module,
        *,
        coordinates: int,
        with_grid: bool,
        residual: bool,
        square: bool,
    ):
        super().__init__()
        self.lift: nn.Module = lift
        self.blocks = nn.ModuleList(blocks)
        self.decoder: nn.Module = decoder
        self.coordinates, self.with_grid, self.residual, self.square = coordinates, with_grid, residual, square

    def forward(self, node: Rows, pos: Rows | None = None, grid: Rows | None = None) -> Rows:
        """`grid`, the points that the decoder sees, is `pos` unless given."""
        start = self.lift(node.mT)
        x, v = pos.mT if pos is not None and self.coordinates else None, start
        for block in self.blocks:
            v = block(v, x)
        v = start + v if self.residual else v
        if self.with_grid:
            points = pos if grid is None else grid
            if points is None:
                raise ValueError("the decoder of this transformer sees the points of the grid: give pos or grid")
            v = torch.cat([v, points.mT], 1)
        if self.square:
            v = v.unflatten(2, _side(v.shape[2]))
        _require_modes(self.decoder, v)
        return self.decoder(v).flatten(2).mT


class SquareTransformer(nn.Module):
    """(b, n, n, c) to (b, n, n, o): a downscaler to the m^2 tokens at `pos`, blocks, an upscaler, a decoder that sees
    the coordinates `grid`, and values 0 (or `boundary_value`) at the outermost points."""

    def __init__(
        self,
        downscaler: nn.Module,
        blocks: Sequence[TransformerBlock],
        upscaler: nn.Module,
        decoder: nn.Module,
        *,
        coordinates: int,
        appended: bool,
        with_grid: bool,
        dirichlet: bool,
    ):
        super().__init__()
        self.downscaler: nn.Module = downscaler
        self.blocks = nn.ModuleList(blocks)
        self.upscaler: nn.Module = upscaler
        self.decoder: nn.Module = decoder
        self.coordinates, self.appended, self.with_grid = coordinates, appended, with_grid
        self.dirichlet = dirichlet

    def forward(
        self,
        node: Float[Tensor, "b *fine c"],
        pos: Rows,
        grid: Float[Tensor, "b n n d"] | None = None,
        *,
        boundary_value: Float[Tensor, "b n n o"] | None = None,
    ) -> Float[Tensor, "b n n o"]:
        side = _side(pos.shape[1])
        a = node.movedim(-1, 1) if node.ndim == 4 else node.mT.unflatten(2, _side(node.shape[1]))
        if self.appended:
            a = torch.cat([a, pos.mT.unflatten(2, side)], 1)
        v = self.downscaler(a).flatten(2)
        if v.shape[2] != pos.shape[1]:
            raise ValueError(f"the downscaler makes {v.shape[2]} tokens, but pos has {pos.shape[1]} points")
        for block in self.blocks:
            v = block(v, pos.mT if self.coordinates else None)
        v = self.upscaler(v.unflatten(2, side))
        if self.with_grid:
            if grid is None:
                raise ValueError("the decoder of this transformer sees the points of the grid: give grid")
            v = torch.cat([v, grid.movedim(-1, 1)], 1)
        _require_modes(self.decoder, v)
        u = self.decoder(v)
        if self.dirichlet:
            u = F.pad(u[:, :, 1:-1, 1:-1], (1, 1, 1, 1))
            if boundary_value is not None:
                u = u + boundary_value.movedim(-1, 1)
        return u.movedim(1, -1)


class Resized(nn.Module):
    """Bilinear interpolation with both ends kept, to a size or (a float) to a multiple of the points."""

    def __init__(self, size: Size):
        super().__init__()
        self.size = size

    def forward(self, u: Float[Tensor, "b c x y"]) -> Float[Tensor, "b c _ _"]:
        size = self.size
        if isinstance(size, float):
            size = [math.floor(n * size) for n in u.shape[2:]]
        size = size if isinstance(size, int) else list(size)
        return F.interpolate(u, size=size, mode="bilinear", align_corners=True)


class Downscaler(nn.Module):
    """w = rho(S_0 (sigma(C_0 u))),  w_i = sigma(C_i w_{i-1}) for i = 1, 2, 3,  u -> rho(S_1 [w_1, w_2, w_3]), with
    convolutions C_i and changes S_i of the resolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        paddings: Sequence[int],
        resized: Sequence[nn.Module],
        activations: tuple[nn.Module, nn.Module],
    ):
        super().__init__()
        third = out_channels // 3
        widths = (in_channels, out_channels, third, third, out_channels - 2 * third)
        self.convolutions = nn.ModuleList(_convolution(widths[i], widths[i + 1], paddings[i]) for i in range(4))
        self.resized = nn.ModuleList(resized)
        self.sigma, self.rho = activations

    def forward(self, u: Float[Tensor, "b i x y"]) -> Float[Tensor, "b o _ _"]:
        first, *others = self.convolutions
        w, parts = self.rho(self.resized[0](self.sigma(first(u)))), []
        for convolution in others:
            w = self.sigma(convolution(w))
            parts.append(w)
        return self.rho(self.resized[1](torch.cat(parts, 1)))


def interpolating_upscaler(width: int, sizes: Sequence[Size], sigma: nn.Module) -> nn.Sequential:
    """Interpolation, a convolution, sigma twice, interpolation."""
    return nn.Sequential(Resized(sizes[0]), _convolution(width, width, 1), sigma, sigma, Resized(sizes[1]))


def transposed_upscaler(width: int, sigma: nn.Module) -> nn.Sequential:
    """Two pairs of transposed convolutions of stride 2, sigma after each."""
    layers = OrderedDict[str, nn.Module]()
    for index, padding in enumerate((2, 1, 4, 2)):
        layers[f"deconv{index}"] = nn.ConvTranspose2d(width, width, 3, stride=2, padding=padding)
        layers[f"sigma{index}"] = sigma
    return nn.Sequential(layers)


def matrix(domain: Domain, in_channels: int, out_channels: int) -> Pointwise:
    return Pointwise(Space(domain, in_channels), Space(domain, out_channels), bias=True)


def _convolution(in_channels: int, out_channels: int, padding: int) -> Stencil:
    return Stencil(Space(SQUARE, in_channels), Space(SQUARE, out_channels), ghost="zeros", padding=padding)


def _require_modes(decoder: nn.Module, v: Tensor) -> None:
    """On a coarser grid the released code lets the weights of high frequencies fall on each other, or stops."""
    *others, last = v.shape[2:]
    for part in decoder.modules():
        if isinstance(part, Fourier) and (part.modes[-1] // 2 > last // 2 or any(part.modes[0] > n for n in others)):
            raise ValueError(f"{tuple(v.shape[2:])} points do not carry the {part.modes} modes of the decoder")


def _side(count: int) -> tuple[int, int]:
    side = math.isqrt(count)
    if side * side != count:
        raise ValueError(f"this transformer takes square grids, but {count} points are not the square of a number")
    return side, side
