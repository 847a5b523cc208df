"""The truncated Fourier layer of FNO, as products with real matrices."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.multiplier import Factorization, largest_norm, multiplied_channels, multiplier, multiply
from vcycle.operators.schur import quadrature_spread
from vcycle.spaces import Space, lies_channels_last, placed


class Fourier(LinearOperator):
    """W u = F^-1 (R_k F u)_k + b, with complex matrices R_k acting on the channels of the lowest modes.

    modes           frequencies of both signs per axis: -m/2, ..., m/2 - 1, and on the last axis, where the transform
                    of a real function is symmetric, 0, ..., m/2
    bias            b, a number per channel
    separable       one number per channel and mode instead of a matrix
    factorization   R as a tensor of low rank: 'tucker', 'cp' (Canonical), 'tt' (TensorTrain); None for a dense one
    rank            of the factorization: its share of the dense parameters, or a list of ranks (LowRank)

    The weight is (in, out, *modes, 2), the last axis holding real and imaginary part. A grid with fewer frequencies
    uses the central part of the weight. The domain is treated as periodic whatever its conditions.

    Only the kept frequencies are ever computed, by products with real matrices of cosines and sines: faster than a
    full FFT while modes << points, and free of complex numbers for export. Source: P151, section 5.4.
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        modes: Sequence[int],
        *,
        bias: bool = False,
        separable: bool = False,
        factorization: Factorization | None = None,
        rank: int | float | Sequence[int] = 0.1,
    ):
        domain = source.domain
        tags = {"refines": True, "translation_equivariant": domain.torus, "affine": bias}
        super().__init__(source, target, frozenset(tag for tag, holds in tags.items() if holds))
        self.modes, self.separable = tuple(modes), separable
        channels = multiplied_channels(source, target, self.modes, separable)
        deviation = math.sqrt(2 / (source.channels + target.channels))
        stored = (*self.modes[:-1], self.modes[-1] // 2 + 1)
        self.weight = multiplier(channels, stored, deviation, pairs=True, factorization=factorization, rank=rank)
        self.bias = nn.Parameter(deviation * torch.randn(target.channels)) if bias else None

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        shape = tuple(u.shape[2:])
        k = lowest(self.counts(shape))
        return synthesise(self.multiply(analyse(u, k)), k, shape, channels_last=lies_channels_last(u))

    def counts(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The number of kept frequencies per axis that a grid of this shape carries; of one sign on the last axis."""
        both_signs = zip(self.modes[:-1], shape[:-1], strict=True)
        return (*(min(m, n) for m, n in both_signs), min(self.modes[-1], shape[-1]) // 2 + 1)

    def multiply(self, v: Float[Tensor, "b i *modes 2"]) -> Float[Tensor, "b o *modes 2"]:
        """R_k v_k + b delta_k0 for lowest modes: their R is central in the weight, leading on the last axis."""
        *others, last = v.shape[2:-1]
        starts = [(m - count) // 2 for m, count in zip(self.modes[:-1], others, strict=True)]
        kept = (*(slice(start, start + count) for start, count in zip(starts, others, strict=True)), slice(last))
        v = multiply(self.weight, v, kept, pairs=True, separable=self.separable)
        if self.bias is not None:
            # The constant mode: a pass through a few coefficients instead of all points.
            v[(slice(None), slice(None), *(count // 2 for count in others), 0, 0)].add_(self.bias)
        return v

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """max_k ||R_k||_2: frequencies are orthogonal, and taking real parts averages R_k with a conjugate R_-k."""
        return largest_norm(self.weight, pairs=True, separable=self.separable) * quadrature_spread(self.source)

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, modes={self.modes}"


Frequencies = Sequence[Sequence[int]]  # per axis


def lowest(counts: Sequence[int]) -> list[range]:
    """The lowest frequencies, so many per axis: of both signs, on the last axis 0, 1, ..."""
    *others, last = counts
    return [*(range(-(count // 2), count - count // 2) for count in others), range(last)]


def analyse(u: Float[Tensor, "b c *grid"], k: Frequencies) -> Float[Tensor, "b c *modes 2"]:
    """The Fourier coefficients (1/n) sum_x u(x) exp(-i k x), as real and imaginary part.

    The axis whose matrix stands to the left of many numbers side by side comes first, for products of matrices are fast
    then: the last axis where channels lie last, else the first axis, with cosines and sines of every |k| once and signs
    brought in when few numbers are left.
    """
    *others, last = k
    behind, shape = int(lies_channels_last(u)), u.shape[2:]
    u = u.movedim(1, -1) if behind else u
    first_axis, last_axis = -len(k) - behind, -1 - behind
    waves = _pairs(last, shape[-1], u) / shape[-1]  # the last axis will hold all real, then all imaginary parts
    if behind or not others:
        v, remaining = _along(waves[0], u, last_axis), others
    else:
        n, (first, *remaining) = shape[0], others
        v = _along(_phases(_sizes(first), n, u) / n, u, first_axis)
        v = _along(_signs(first, u), _in_pairs(waves, v, first_axis), first_axis)
    for dim, frequencies in enumerate(remaining, start=last_axis - len(remaining)):
        both = _phases(frequencies, v.shape[dim], v) / v.shape[dim]
        c, s = _along(both, v, dim).chunk(2, dim)
        v = c - _turned(s, last_axis)
    v = v.unflatten(last_axis, (2, len(last))).movedim(last_axis - 1, -1)
    return v.movedim(-2, 1) if behind else v


def synthesise(
    v: Float[Tensor, "b c *modes 2"],
    k: Frequencies,
    shape: tuple[int, ...],
    *,
    half: bool = True,
    channels_last: bool = False,
) -> Float[Tensor, "b c *grid"]:
    """The real part of sum_k v_k exp(i k x); with `half` the last axis stands for its negative frequencies too.

    channels_last: how the values will lie in memory.
    """
    *others, last = k
    u, waves = v.mT.flatten(-2), _pairs(last, shape[-1], v)
    if half:
        waves = waves * placed(_meant(tuple(last), shape[-1]), v)
    behind = int(channels_last)
    u = u.movedim(1, -1) if behind else u
    first_axis, last_axis = -len(k) - behind, -1 - behind
    remaining = others if behind else others[1:]
    for dim, frequencies in enumerate(remaining, start=last_axis - len(remaining)):
        both = _phases(frequencies, shape[dim - first_axis], v)
        u = _along(both.mT, torch.cat([u, _turned(u, last_axis)], dim), dim)
    if behind or not others:
        u = _along(waves[0].mT, u, last_axis)
    else:
        u = _in_pairs(waves.mT, _along(_signs(others[0], v).mT, u, first_axis), first_axis)
        u = _along(_phases(_sizes(others[0]), shape[0], v).mT, u, first_axis)
    return u.movedim(-1, 1) if behind else u


def _turned(v: Tensor, dim: int) -> Tensor:
    """i v, where an axis holds all real, then all imaginary parts."""
    real, imaginary = v.chunk(2, dim)
    return torch.cat([-imaginary, real], dim)


def _along(matrix: Tensor, v: Tensor, dim: int) -> Tensor:
    """matrix @ v along one axis: from the left where others follow it."""
    if dim == -1:
        return v @ matrix.mT
    return (matrix @ v.flatten(dim + 1)).unflatten(-1, v.shape[v.ndim + dim + 1 :])


def _in_pairs(matrices: Tensor, v: Tensor, dim: int) -> Tensor:
    """Along the last axis the first of two matrices in the first half of the axis `dim`, the second in the other."""
    halves = v.unflatten(dim, (2, -1))
    return (halves.flatten(dim, -2) @ matrices.mT).unflatten(-2, halves.shape[dim:-1]).flatten(dim - 1, dim)


def _phases(k: Sequence[int], n: int, like: Tensor) -> Float[Tensor, "k n"]:
    """cos 2 pi k x / n for every k, then sin."""
    return placed(_both(tuple(k), n), like)


def _pairs(k: Sequence[int], n: int, like: Tensor) -> Float[Tensor, "2 k n"]:
    """cos and -sin, the real and imaginary part of exp(-i k x) beside a cosine; -sin and -cos, those beside a sine."""
    cosine, sine = (placed(wave, like) for wave in _waves(tuple(k), n))
    return torch.stack([torch.cat([cosine, -sine]), torch.cat([-sine, -cosine])])


def _signs(k: Sequence[int], like: Tensor) -> Float[Tensor, "k sizes"]:
    """For every k a 1 at the cosine of |k|, and the sign of k at its sine."""
    return placed(_sign_matrix(tuple(k)), like)


@lru_cache(maxsize=256)  # arrays, as below
def _sign_matrix(k: tuple[int, ...]) -> Float[np.ndarray, "k sizes"]:
    sizes = _sizes(k)
    matrix = np.zeros((len(k), 2, len(sizes)))
    for row, m in enumerate(k):
        matrix[row, :, sizes.index(abs(m))] = 1, -1 if m < 0 else 1
    return matrix.reshape(len(k), -1)


def _sizes(k: Sequence[int]) -> tuple[int, ...]:
    """Every |k| once."""
    return tuple(sorted({abs(m) for m in k}))


@lru_cache(maxsize=256)  # arrays: a cached tensor would belong to the inference mode or the trace that made it
def _waves(k: tuple[int, ...], n: int) -> tuple[Float[np.ndarray, "k n"], Float[np.ndarray, "k n"]]:
    # The phase is reduced in integers, so that it is exact for every k and n.
    phase = np.outer(k, np.arange(n)) % n * (2 * math.pi / n)
    return np.cos(phase), np.sin(phase)


@lru_cache(maxsize=256)
def _meant(k: tuple[int, ...], n: int) -> Float[np.ndarray, "pairs 1"]:
    """How many frequencies a k >= 0 stands for: itself, and -k where that is another one."""
    return np.tile([1.0 if 2 * m in (0, n) else 2.0 for m in k], 2)[:, None]


@lru_cache(maxsize=256)
def _both(k: tuple[int, ...], n: int) -> Float[np.ndarray, "pairs n"]:
    return np.concatenate(_waves(k, n))
