"""neuraloperator's spectral convolution where it differs from Fourier: fewer modes than weights, other grids."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Fourier
from vcycle.operators.fourier import analyse, lowest, synthesise

Shape = tuple[int, ...]
Scaling = tuple[float, ...]  # points of the image over points of the field, per axis


class ReleasedFourier(nn.Module):
    """W u = sum_k exp(i q(k) x) R_k (F u)_k + b on a grid of N = scaling n points.

    counts      the kept modes, of those that the Fourier operator has weights for; of one sign on the last axis
    scaling     q(k) = k mod n where that is below N, other modes are dropped: the release pads or cuts the spectrum at
                its end, so that on finer grids negative frequencies become positive ones (not on the last axis)
    hermitian   on an even N, the highest frequency of an even n loses its imaginary part
    """

    def __init__(self, fourier: Fourier, counts: Shape, scaling: Scaling | None, hermitian: bool):
        super().__init__()
        self.fourier: Fourier = fourier
        self.counts, self.scaling, self.hermitian = counts, scaling, hermitian

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        shape = tuple(u.shape[2:])
        target = scaled(shape, self.scaling)
        k = lowest([min(count, n) for count, n in zip(self.counts, self.fourier.counts(shape), strict=True)])
        v = self.fourier.multiply(analyse(u, k))
        q = []
        for dim, (frequencies, n, N) in enumerate(zip(k[:-1], shape[:-1], target[:-1], strict=True), start=2):
            places = [m % n for m in frequencies]
            v = v.index_select(dim, _indices([j for j, place in enumerate(places) if place < N], v))
            q.append([place for place in places if place < N])
        last = [m for m in k[-1] if m <= target[-1] // 2]
        v = v.narrow(-2, 0, len(last))
        if not (self.hermitian and target[-1] % 2 == 0 and last[-1] == shape[-1] // 2 and 2 * last[-1] < target[-1]):
            return synthesise(v, [*q, last], target)
        edge = synthesise(v[..., -1:, :], [*q, [0]], target)  # constant along the last axis
        x = torch.arange(target[-1], dtype=torch.float64) * (2 * math.pi * last[-1] / target[-1])
        rest = synthesise(v[..., :-1, :], [*q, last[:-1]], target) if len(last) > 1 else 0 * edge
        # The frequency 0 counts once, whatever the axis.
        return rest + (2 if last[-1] else 1) * x.cos().to(u) * edge


class Resampled(nn.Module):
    """A skip whose image is interpolated to the grid of the block's image.

    Linear in 1-D and bicubic in 2-D, from the first point to the last; in 3-D by the Fourier modes both grids carry.
    """

    def __init__(self, skip: nn.Module, scaling: Scaling):
        super().__init__()
        self.skip: nn.Module = skip
        self.scaling = scaling

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *target"]:
        u = self.skip(u)
        shape = tuple(u.shape[2:])
        target = scaled(shape, self.scaling)
        if target == shape:
            return u
        if len(shape) < 3:
            mode = "linear" if len(shape) == 1 else "bicubic"
            return F.interpolate(u, size=target, mode=mode, align_corners=True)
        common = [min(n, N) for n, N in zip(shape, target, strict=True)]
        k = [[*range(m // 2), *range(m // 2 - m, 0)] for m in common[:-1]] + [range(common[-1] // 2 + 1)]
        return synthesise(analyse(u, k), k, target)


def scaled(shape: Shape, scaling: Sequence[float] | None) -> Shape:
    """The grid of the image."""
    return shape if scaling is None else tuple(round(n * s) for n, s in zip(shape, scaling, strict=True))


def _indices(values: list[int], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device)
