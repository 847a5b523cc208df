"""Moving functions between resolutions."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.basis import apply_axes
from vcycle.spaces.devices import placed
from vcycle.spaces.domain import Domain, Faces
from vcycle.spaces.grid import Grid, Placement


def resample(
    u: Float[Tensor, "..."], domain: Domain, shape: tuple[int, ...], placement: Placement = "cell"
) -> Float[Tensor, "..."]:
    """The function u on another grid of the same domain: (..., *grid) to (..., *shape).

    Refining interpolates linearly (between the boundary condition and the first cell centre near the boundary);
    coarsening averages cells with their overlap (integrals are kept) and interpolates vertices.

    >>> import torch
    >>> resample(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), Domain.unit(1), (2,))
    tensor([[2., 6.]])
    """
    matrices = []
    for axis, (n, m) in enumerate(zip(u.shape[-domain.dimension :], shape, strict=True)):
        faces = domain.boundary[axis]
        coarsen = placement == "cell" and m < n
        matrix = averaging_matrix(n, m) if coarsen else interpolation_matrix(n, m, faces, placement)
        matrices.append(placed(matrix, u))
    return apply_axes(matrices, u)


@lru_cache(maxsize=64)  # arrays: a cached tensor would belong to the inference mode or the trace that made it
def averaging_matrix(n: int, m: int) -> Float[np.ndarray, "m n"]:
    """Averages over m cells of a function that is constant on n cells."""
    fine, coarse = np.arange(n + 1) / n, np.arange(m + 1) / m
    low = np.maximum(fine[None, :-1], coarse[:-1, None])
    high = np.minimum(fine[None, 1:], coarse[1:, None])
    return (high - low).clip(0) * m


@lru_cache(maxsize=64)
def interpolation_matrix(n: int, m: int, faces: Faces, placement: Placement) -> Float[np.ndarray, "m n"]:
    """Linear interpolation from n to m points; beyond the outermost cell centres the boundary condition continues u."""
    line = Domain((1.0,), [faces])
    offset = 0.5 if placement == "cell" else 0.0
    target, h = (Grid(line, (points,), placement).spacing[0] for points in (m, n))
    position = (np.arange(m) + offset) * target / h - offset
    left = np.floor(position).clip(-1, n - 1).astype(np.int64)
    share = position - left
    matrix = np.zeros((m, n))
    for index, weight in ((left, 1 - share), (left + 1, share)):
        inside, sign = _reflect(index, n, faces, placement)
        np.add.at(matrix, (np.arange(m), inside), weight * sign)
    return matrix


@lru_cache(maxsize=64)  # arrays: a cached tensor would belong to the inference mode or the trace that made it
def lagrange_matrix(n: int, m: int, degree: int, placement: Placement, periodic: bool) -> Float[np.ndarray, "m n"]:
    """At m points, the polynomials through the nearest degree + 1 of n points; fewer points make a lower degree."""
    nodes = min(degree + 1, n)
    if placement == "cell":
        position = (np.arange(m) + 0.5) * n / m - 0.5
    else:
        position = np.arange(m) * (n / m if periodic else (n - 1) / max(m - 1, 1))
    first = np.floor(position).astype(int) - (nodes - 1) // 2
    first = first if periodic else np.clip(first, 0, n - nodes)
    matrix, rows, x = np.zeros((m, n)), np.arange(m), position - first
    for node in range(nodes):
        others = [other for other in range(nodes) if other != node]
        lagrange = np.prod([(x - other) / (node - other) for other in others], axis=0) * np.ones(m)
        matrix[rows, (first + node) % n] = lagrange
    return matrix


def _reflect(index: np.ndarray, n: int, faces: Faces, placement: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Indices just outside 0..n-1 mapped inside, and the sign of the odd (Dirichlet) or even (Neumann) continuation."""
    sign = np.ones(index.shape)
    if faces[0] == "periodic":
        return index % n, sign
    if placement == "vertex":
        return index.clip(0, n - 1), sign
    for outside, condition in ((index < 0, faces[0]), (index >= n, faces[1])):
        if condition == "dirichlet":
            sign = np.where(outside, -1.0, sign)
    return index.clip(0, n - 1), sign
