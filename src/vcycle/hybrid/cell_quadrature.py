"""Functions and fluxes on the cells of a box at the same point of every cell, and Gauss points in the cell."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from jaxtyping import Float

Array = np.ndarray
Point = tuple[float, ...]  # in units of the cell


def gauss_points(dimension: int, count: int) -> Iterator[tuple[Point, float]]:
    """Points and weights (of sum 1), exact for polynomials of degree 2 count - 1 in every coordinate."""
    points, weights = np.polynomial.legendre.leggauss(count)
    for index in product(range(count), repeat=dimension):
        yield tuple((points[i] + 1) / 2 for i in index), float(np.prod([weights[i] / 2 for i in index]))


def between(values: Float[Array, "..."], axis: int, x: float) -> Float[Array, "..."]:
    """Values at the n + 1 ends of cells along an axis, interpolated linearly at x of every cell."""
    n = values.shape[axis] - 1
    low, high = (np.take(values, range(first, first + n), axis) for first in (0, 1))
    return (1 - x) * low + x * high


def at_point(vertices: Float[Array, "..."], point: Point) -> Float[Array, "..."]:
    """The multilinear function with these values at vertices, the grid in the last axes."""
    for k, x in enumerate(point):
        vertices = between(vertices, k - len(point), x)
    return vertices


def gradient_at(
    vertices: Float[Array, "b c *points"], spacing: tuple[float, ...], point: Point
) -> Float[Array, "b c d *cells"]:
    """Its gradient."""
    d, out = len(point), []
    for i, h in enumerate(spacing):
        slope = np.diff(vertices, axis=i - d) / h
        for k, x in enumerate(point):
            slope = slope if k == i else between(slope, k - d, x)
        out.append(slope)
    return np.stack(out, 2)
