"""Velocities on the faces of cells, pressures in the cells (marker and cell), in a box with walls on all sides.

A staggered field is a tuple with a tensor (b, *grid) per axis: component k on the n_k - 1 inner faces across axis k. On
the walls across axis k it is 0; on the others it is 0 half a cell away. Source: Harlow and Welch 1965.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.spaces import Domain, Grid, Space, placed

Staggered = tuple[Float[Tensor, "..."], ...]
Cells = Float[Tensor, "b c *grid"]


def to_faces(f: Cells) -> Staggered:
    """Vectors at cell centres averaged to the inner faces, component k across axis k."""
    out = []
    for axis in range(f.shape[1]):
        out.append(means(f[:, axis], axis + 1))
    return tuple(out)


def to_centres(u: Staggered) -> Cells:
    """The means of opposite faces, walls included: vectors at cell centres."""
    out = []
    for axis, v in enumerate(u):
        out.append(means(walled(v, axis + 1), axis + 1))
    return torch.stack(out, 1)


def from_centres(c: Cells) -> tuple[Staggered, Staggered]:
    """The staggered field whose means they are, and what is left of it on the last walls, where 0 should be.

    Exact for the means of a staggered field; waves of two cells grow in others.
    """
    inner, left = [], []
    for axis in range(c.shape[1]):
        n = c.shape[axis + 2]
        u = from_means(c[:, axis], axis + 1)
        inner.append(u.narrow(axis + 1, 0, n - 1))
        left.append(u.narrow(axis + 1, n - 1, 1))
    return tuple(inner), tuple(left)


def divergence(u: Staggered, spacing: tuple[float, ...]) -> Cells:
    """div u in every cell."""
    total: Tensor | None = None
    for axis, (v, h) in enumerate(zip(u, spacing, strict=True)):
        term = walled(v, axis + 1).diff(dim=axis + 1) / h
        total = term if total is None else total + term
    assert total is not None
    return total[:, None]


def pressure_gradient(p: Cells, spacing: tuple[float, ...]) -> Staggered:
    """grad p on the inner faces, the negative transpose of the divergence."""
    return tuple(p[:, 0].diff(dim=axis + 1) / h for axis, h in enumerate(spacing))


def minus_laplacian(u: Staggered, spacing: tuple[float, ...]) -> Staggered:
    """-lap u on the inner faces, u = 0 on all walls."""
    out = []
    for component, v in enumerate(u):
        total = torch.zeros_like(v)
        for axis, h in enumerate(spacing):
            dim = axis + 1
            first, last = v.narrow(dim, 0, 1), v.narrow(dim, v.shape[dim] - 1, 1)
            # Across its own axis the wall is a point of the grid; across others the reflection is beyond it.
            ghosts = (torch.zeros_like(first),) * 2 if axis == component else (-first, -last)
            total = total - torch.cat([ghosts[0], v, ghosts[1]], dim).diff(n=2, dim=dim) / h**2
        out.append(total)
    return tuple(out)


def inverse_laplacian(u: Staggered, spacing: tuple[float, ...]) -> Staggered:
    """v with -lap v = u on the inner faces, by one sine transform per axis."""
    out = []
    for component, v in enumerate(u):
        shape = v.shape[1:]
        modes = [_sines(n, axis == component) for axis, n in enumerate(shape)]
        eigenvalues = torch.zeros((), dtype=v.dtype, device=v.device)
        for (_, phase), h in zip(modes, spacing, strict=True):
            eigenvalues = eigenvalues[..., None] + torch.from_numpy((2 - 2 * np.cos(phase)) / h**2).to(v)
        vectors = [placed(S, v) for S, _ in modes]
        for axis, S in enumerate(vectors):
            v = torch.tensordot(v, S, ([axis + 1], [1])).movedim(-1, axis + 1)
        v = v / eigenvalues
        for axis, S in enumerate(vectors):
            v = torch.tensordot(v, S, ([axis + 1], [0])).movedim(-1, axis + 1)
        out.append(v)
    return tuple(out)


@lru_cache(maxsize=16)
def _sines(n: int, on_walls: bool) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, " n"]]:
    """Orthonormal sines, a row per mode, and their phase per cell; on faces between n + 1 cells, or in n cells."""
    cells = n + 1 if on_walls else n
    phase = math.pi * np.arange(1, n + 1) / cells
    position = np.arange(n) + (1.0 if on_walls else 0.5)
    rows = np.sin(phase[:, None] * position)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), phase


def walled(f: Shaped[Tensor, "..."], dim: int) -> Shaped[Tensor, "..."]:
    """With zeros (False) before the first and behind the last entry of an axis."""
    wall = torch.zeros_like(f.narrow(dim, 0, 1))
    return torch.cat([wall, f, wall], dim)


def means(f: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """Of neighbours along an axis."""
    n = f.shape[dim] - 1
    return (f.narrow(dim, 0, n) + f.narrow(dim, 1, n)) / 2


def from_means(c: Float[Tensor, "..."], dim: int, first: Float[Tensor, "..."] | float = 0.0) -> Float[Tensor, "..."]:
    """The u with the means c of neighbours along an axis that begins with `first`: u(i + 1/2) = 2 c(i) - u(i - 1/2)."""
    sign = 1.0 - 2.0 * (torch.arange(c.shape[dim], dtype=c.dtype, device=c.device) % 2)
    sign = sign.view(-1, *(1,) * (c.ndim - 1 - dim))
    return sign * ((2 * sign * c).cumsum(dim) - first)


class PressureSchur(LinearOperator):
    """S p = div(lap^-1 grad p), lap with walls: self-adjoint, eigenvalues between beta^2 and 1, 0 for constants.

    beta is the inf-sup constant of the box, so that conjugate gradients need no preconditioner.
    """

    def __init__(self, domain: Domain, shape: tuple[int, ...]):
        super().__init__(Space(domain), Space(domain), frozenset({"self_adjoint", "positive"}))
        self.spacing = Grid(domain, shape).spacing

    def forward(self, u: Cells) -> Cells:
        gradient = pressure_gradient(u, self.spacing)
        return -divergence(inverse_laplacian(gradient, self.spacing), self.spacing)

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """||div v|| <= ||grad v||."""
        return 1.0
