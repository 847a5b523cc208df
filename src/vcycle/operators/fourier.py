"""The truncated Fourier layer of FNO, as products with real matrices."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.schur import quadrature_spread
from vcycle.spaces import Space


class Fourier(LinearOperator):
    """W u = F^-1 (R_k F u)_k + b, with complex matrices R_k acting on the channels of the lowest modes.

    `modes` counts the frequencies of both signs per axis: -m/2, ..., m/2 - 1, and on the last axis, where the
    transform of a real function is symmetric, 0, ..., m/2. The weight is (in, out, *modes, 2), the last axis holding
    real and imaginary part; `separable` has one number per channel and mode instead of a matrix. A grid with fewer
    frequencies uses the central part of the weight. The domain is treated as periodic whatever its conditions.

    Only the kept frequencies are ever computed, by products with real matrices of cosines and sines: faster than a
    full FFT while modes << points, and free of complex numbers for export. Source: P151, section 5.4.
    """

    def __init__(
        self, source: Space, target: Space, modes: Sequence[int], *, bias: bool = False, separable: bool = False
    ):
        domain = source.domain
        if len(modes) != domain.dimension:
            raise ValueError(f"got modes {tuple(modes)} for {domain}: give one number per axis")
        if separable and source.channels != target.channels:
            raise ValueError(
                f"a separable Fourier operator keeps the channels apart, so it cannot map {source.channels} to "
                f"{target.channels} channels: set separable=False"
            )
        periodic = all(domain.periodic(axis) for axis in range(domain.dimension))
        tags = {"refines": True, "translation_equivariant": periodic, "affine": bias}
        super().__init__(source, target, frozenset(tag for tag, holds in tags.items() if holds))
        self.modes, self.separable = tuple(modes), separable
        channels = (source.channels,) if separable else (source.channels, target.channels)
        deviation = math.sqrt(2 / (source.channels + target.channels))
        shape = (*channels, *self.modes[:-1], self.modes[-1] // 2 + 1, 2)
        # A complex standard normal: variance 1/2 in either part.
        self.weight = nn.Parameter(deviation * math.sqrt(0.5) * torch.randn(shape))
        self.bias = nn.Parameter(deviation * torch.randn(target.channels)) if bias else None

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        shape = tuple(u.shape[2:])
        weight = self._fitting(shape)
        counts = tuple(weight.shape[-1 - len(shape) : -1])
        v = self._multiply(analyse(u, counts), weight)
        out = synthesise(v, shape)
        return out if self.bias is None else out + self.bias.view(-1, *(1,) * len(shape))

    def _fitting(self, shape: tuple[int, ...]) -> Tensor:
        """The part of the weight whose frequencies the grid carries: central, on the last axis leading."""
        weight = self.weight
        for dim, n in enumerate(shape[:-1], start=-1 - len(shape)):
            spare = max(0, weight.shape[dim] - n)
            weight = weight.narrow(dim, spare // 2, weight.shape[dim] - spare)
        return weight.narrow(-2, 0, min(weight.shape[-2], shape[-1] // 2 + 1))

    def _multiply(self, v: Float[Tensor, "2 b i *modes"], weight: Tensor) -> Float[Tensor, "2 b o *modes"]:
        """(v_re + i v_im)(R_re + i R_im) per mode, from all four products at once."""
        equation = "sbi...,i...t->stbi..." if self.separable else "sbi...,io...t->stbo..."
        products = torch.einsum(equation, v, weight)
        return torch.stack([products[0, 0] - products[1, 1], products[0, 1] + products[1, 0]])

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """max_k ||R_k||_2: frequencies are orthogonal, and taking real parts averages R_k with a conjugate R_-k."""
        weight = torch.view_as_complex(self.weight.detach().double().contiguous())
        if self.separable:
            largest = weight.abs().max()
        else:
            largest = torch.linalg.matrix_norm(weight.flatten(2).movedim(-1, 0), 2).max()
        return float(largest) * quadrature_spread(self.source)

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, modes={self.modes}"


def analyse(u: Float[Tensor, "b c *grid"], counts: tuple[int, ...]) -> Float[Tensor, "2 b c *modes"]:
    """The Fourier coefficients (1/n) sum_x u(x) exp(-i k x) of the lowest frequencies, as real and imaginary part."""
    *others, last = counts
    cosine, sine = _waves(torch.arange(last), u.shape[-1], u)
    v = u @ (torch.cat([cosine, -sine]) / u.shape[-1]).mT  # the last axis holds all real, then all imaginary parts
    for dim, count in enumerate(others, start=-len(counts)):
        both = torch.cat(_waves(_both_signs(count), u.shape[dim], u)) / u.shape[dim]
        c, s = _along(both, v, dim).chunk(2, dim)
        v = c - _turned(s)
    return v.unflatten(-1, (2, last)).movedim(-2, 0)


def synthesise(v: Float[Tensor, "2 b c *modes"], shape: tuple[int, ...]) -> Float[Tensor, "b c *grid"]:
    """The real part of sum_k v_k exp(i k x); the last axis stands for its negative frequencies too."""
    *others, last = v.shape[3:]
    u = torch.cat([v[0], v[1]], -1)
    for dim, count in enumerate(others, start=-len(shape)):
        both = torch.cat(_waves(_both_signs(count), shape[dim], v))
        u = _along(both.mT, torch.cat([u, _turned(u)], dim), dim)
    k = torch.arange(last)
    cosine, sine = _waves(k, shape[-1], v)
    alone = (k == 0) | (2 * k == shape[-1])
    weights = torch.where(alone, 1.0, 2.0).to(v)[:, None]
    return u @ torch.cat([weights * cosine, -weights * sine])


def _turned(v: Tensor) -> Tensor:
    """i v, where the last axis holds all real, then all imaginary parts."""
    real, imaginary = v.chunk(2, -1)
    return torch.cat([-imaginary, real], -1)


def _both_signs(count: int) -> Tensor:
    return torch.arange(count) - count // 2


def _waves(k: Tensor, n: int, like: Tensor) -> tuple[Float[Tensor, "k n"], Float[Tensor, "k n"]]:
    """cos and sin of 2 pi k x / n."""
    # The phase is reduced in integers, so that it is exact for every k and n.
    turns = k.to(like.device)[:, None] * torch.arange(n, device=like.device) % n
    phase = turns.to(torch.float64) * (2 * math.pi / n)
    return phase.cos().to(like), phase.sin().to(like)


def _along(matrix: Tensor, v: Tensor, dim: int) -> Tensor:
    """matrix @ v along one axis."""
    return (matrix @ v.movedim(dim, -2)).movedim(-2, dim)
