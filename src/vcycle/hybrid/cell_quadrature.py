"""Functions and fluxes on the cells of a box at the same point of every cell, and Gauss points in the cell.

Values are arrays of NumPy, or tensors of PyTorch, in which everything is then differentiable.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

Point = tuple[float, ...]  # in units of the cell
Values = TypeVar("Values", np.ndarray, Tensor)  # of any shape with the grid in the last axes


def gauss_points(dimension: int, count: int) -> Iterator[tuple[Point, float]]:
    """Points and weights (of sum 1), exact for polynomials of degree 2 count - 1 in every coordinate."""
    points, weights = np.polynomial.legendre.leggauss(count)
    for index in product(range(count), repeat=dimension):
        yield tuple((points[i] + 1) / 2 for i in index), float(np.prod([weights[i] / 2 for i in index]))


def between(values: Values, axis: int, x: float) -> Values:
    """Values at the n + 1 ends of cells along an axis (-1, -2, ...), interpolated linearly at x of every cell."""
    low, high = _ends(values, axis)
    out: Any = (1 - x) * low + x * high
    return out


def at_point(vertices: Values, point: Point) -> Values:
    """The multilinear function with these values at vertices, the grid in the last axes."""
    for k, x in enumerate(point):
        vertices = between(vertices, k - len(point), x)
    return vertices


def gradient_at(vertices: Values, spacing: tuple[float, ...], point: Point) -> Values:
    """Its gradient, (b, c, *points) to (b, c, d, *cells)."""
    d = len(point)
    out: list[Any] = []
    for i, h in enumerate(spacing):
        low, high = _ends(vertices, i - d)
        slope = (high - low) / h
        for k, x in enumerate(point):
            slope = slope if k == i else between(slope, k - d, x)
        out.append(slope)
    stacked: Any = torch.stack(out, 2) if isinstance(vertices, Tensor) else np.stack(out, 2)
    return stacked


def _ends(values: Values, axis: int) -> tuple[Values, Values]:
    """Of every cell along an axis: the values at its low end, and at its high one."""
    n, others = values.shape[axis] - 1, (slice(None),) * (-1 - axis)
    return values[(..., slice(0, n), *others)], values[(..., slice(1, n + 1), *others)]
