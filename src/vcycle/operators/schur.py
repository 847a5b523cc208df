"""Schur's test for convolutions: ||W||^2 <= (largest absolute row sum) * (largest absolute column sum).

The sums are exact at every resolution, because near the boundary they take only a few forms: those of small grids.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Ghost, Space, pad

Pair = tuple[Ghost, Ghost]
Counts = Float[Tensor, "_ s"]  # how often each offset s of a kernel meets a point, one row per kind of point


def convolution_counts(kernel: int, stride: int, width: int, faces: Pair) -> tuple[Counts, Counts]:
    """Along one axis, for all grids: which offsets meet an output point, and which an input point."""
    incidences = []
    for n in range(width + 1, 2 * kernel + 4):
        if n + 2 * width >= kernel:
            extended = pad(torch.eye(n, dtype=torch.float64), width, (faces,))
            incidences.append(extended.unfold(-1, kernel, stride).movedim(0, 1))
    return _distinct(incidences)


def transposed_counts(kernel: int, stride: int, width: int, padding: int, faces: Pair) -> tuple[Counts, Counts]:
    """The same for a transposed convolution behind `width` ghost points, cropped by `padding` points at either end."""
    incidences = []
    for n in range(width + 1, 2 * kernel + 4):
        fine = (n + 2 * width - 1) * stride + kernel - 2 * padding
        if fine > 0:
            spread = pad(torch.eye(fine, dtype=torch.float64), padding, (("zeros", "zeros"),))
            extended = pad(torch.eye(n, dtype=torch.float64), width, (faces,))
            incidences.append(torch.einsum("xes,ye->xys", spread.unfold(-1, kernel, stride), extended))
    return _distinct(incidences)


def schur_bound(weight: Tensor, counts: list[tuple[Counts, Counts]]) -> float:
    """sqrt(max row sum * max column sum) for a kernel (out, in, *offsets), one pair of counts per axis."""
    rows, columns = weight.detach().double().abs().cpu().sum(1), weight.detach().double().abs().cpu().sum(0)
    for per_row, per_column in counts:
        rows = torch.tensordot(rows, per_row, dims=([1], [1]))
        columns = torch.tensordot(columns, per_column, dims=([1], [1]))
    return math.sqrt(float(rows.max()) * float(columns.max()))


def quadrature_spread(space: Space) -> float:
    """sqrt(largest / smallest quadrature weight): what a Euclidean norm bound loses in L2. 1 on cells.

    Vertices on the boundary of an axis that is not periodic have half the weight.
    """
    bounded = sum(not space.domain.periodic(axis) for axis in range(space.domain.dimension))
    return 2.0 ** (bounded / 2) if space.placement == "vertex" else 1.0


def _distinct(incidences: list[Tensor]) -> tuple[Counts, Counts]:
    """(output, input, offset) tables of several grids to the distinct rows of their sums over inputs and outputs."""
    rows = torch.cat([table.sum(1) for table in incidences]).unique(dim=0)
    columns = torch.cat([table.sum(0) for table in incidences]).unique(dim=0)
    return rows, columns
