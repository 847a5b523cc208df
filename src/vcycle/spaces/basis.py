"""Orthonormal bases that fit the boundary conditions, as analysis/synthesis pairs.

Per axis: Fourier (periodic), sine (Dirichlet), cosine (Neumann) and their quarter-wave mixtures, on cells and on
vertices. All are eigenfunctions of the Laplacian and of its second-order finite-difference approximation.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.devices import placed
from vcycle.spaces.domain import Domain, Faces
from vcycle.spaces.grid import Grid, Placement
from vcycle.spaces.layout import lies_channels_last


def count_modes(n: int, faces: Faces, placement: Placement) -> int:
    """How many modes n points carry: fewer than n on vertices where Dirichlet faces pin the values."""
    return n - faces.count("dirichlet") if placement == "vertex" else n


def wavenumbers(modes: int, faces: Faces, length: float) -> Float[Tensor, " k"]:
    """omega_k of each mode, -phi'' = omega^2 phi; for Fourier in the order 1, cos, sin, cos, sin, ..."""
    return torch.from_numpy(_wavenumbers(modes, faces, length))


def evaluate(
    modes: int, faces: Faces, length: float, points: Float[Tensor, " n"], placement: Placement = "vertex"
) -> Float[Tensor, "n k"]:
    """The L2(0, length)-orthonormal modes at the given points (measured from the low face).

    An even number of Fourier modes ends with half a pair: its cosine, on cells its sine, because at the grid frequency
    the cosine vanishes at all cell centres (and the sine at all vertices).
    """
    return torch.from_numpy(_evaluate(modes, faces, length, points.numpy(), placement))


def _wavenumbers(modes: int, faces: Faces, length: float) -> Float[np.ndarray, " k"]:
    k = np.arange(modes, dtype=np.float64)
    if faces[0] == "periodic":
        return 2 * math.pi / length * ((k + 1) // 2)
    shift = {("dirichlet", "dirichlet"): 1.0, ("neumann", "neumann"): 0.0}.get(faces, 0.5)
    return math.pi / length * (k + shift)


def _evaluate(
    modes: int, faces: Faces, length: float, points: Float[np.ndarray, " n"], placement: Placement
) -> Float[np.ndarray, "n k"]:
    omega = _wavenumbers(modes, faces, length)
    phase = points[:, None] * omega
    if faces[0] == "periodic":
        index = np.arange(modes)
        sine = (index % 2 == 0) & (index > 0)
        if placement == "cell" and modes % 2 == 0:
            sine |= index == modes - 1
        values = np.where(sine, np.sin(phase), np.cos(phase))
    else:
        values = np.sin(phase) if faces[0] == "dirichlet" else np.cos(phase)
    return values / np.sqrt(length * np.where(omega == 0, 1.0, 0.5))


@lru_cache(maxsize=256)  # arrays: a cached tensor would belong to the inference mode or the trace that made it
def _axis_pair(
    n: int, modes: int, faces: Faces, length: float, placement: Placement
) -> tuple[Float[np.ndarray, "k n"], Float[np.ndarray, "n k"]]:
    h = Grid(Domain((length,), [faces]), (n,), placement).spacing[0]
    points = h * (np.arange(n) + (0.5 if placement == "cell" else 0.0))
    weights = np.full(n, h)
    if placement == "vertex" and faces[0] != "periodic":
        weights[[0, -1]] *= 0.5
    synthesis = _evaluate(modes, faces, length, points, placement)
    weighted = synthesis.T * weights
    # The highest mode of a full basis (cos or sin at the grid frequency) has another discrete norm than 1.
    return weighted / (weighted * synthesis.T).sum(1, keepdims=True), synthesis


@dataclass(frozen=True)
class Basis:
    """The tensor-product basis of a domain: u = sum_k c_k phi_k, one number of modes per axis (all if None).

    >>> basis = Basis(Domain.unit(1))
    >>> u = torch.rand(2, 1, 8, dtype=torch.float64)
    >>> torch.allclose(basis.synthesise(basis.analyse(u), (8,)), u)
    True
    """

    domain: Domain
    placement: Placement = "cell"
    modes: tuple[int, ...] | None = None

    def counts(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The number of modes kept on a grid of this shape: `modes`, but no more than the grid carries."""
        full = tuple(count_modes(n, f, self.placement) for n, f in zip(shape, self.domain.boundary, strict=True))
        return full if self.modes is None else tuple(min(m, k) for m, k in zip(self.modes, full, strict=True))

    def analyse(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Values (..., *grid) to coefficients (..., *modes), by quadrature."""
        shape = tuple(u.shape[-self.domain.dimension :])
        pairs = self.matrices(shape, self.counts(shape), u)
        return apply_axes([analysis for analysis, _ in pairs], u)

    def synthesise(self, c: Float[Tensor, "..."], shape: tuple[int, ...]) -> Float[Tensor, "..."]:
        """Coefficients (..., *modes) to values (..., *shape): the same function on any grid that carries the modes."""
        counts = tuple(c.shape[-self.domain.dimension :])
        return apply_axes([synthesis for _, synthesis in self.matrices(shape, counts, c)], c)

    def wavenumbers(self, counts: tuple[int, ...]) -> tuple[Float[Tensor, " _"], ...]:
        """omega per axis; the mode with indices (k, l, ...) has -Laplacian equal to the sum of squares."""
        zipped = zip(counts, self.domain.boundary, self.domain.lengths, strict=True)
        return tuple(wavenumbers(m, faces, length) for m, faces, length in zipped)

    def laplacian(
        self, counts: tuple[int, ...], spacing: tuple[float, ...] | None = None, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "*modes"]:
        """Eigenvalues of -Laplacian; with `spacing`, those of its differences: (2 - 2 cos(omega h)) / h^2."""
        total = torch.zeros((), device=device)
        for axis, omega in enumerate(self.wavenumbers(counts)):
            h, omega = None if spacing is None else spacing[axis], omega.to(device)
            values = omega.square() if h is None else (2 - 2 * (omega * h).cos()) / h**2
            total = total[..., None] + values
        return total

    def matrices(
        self, shape: tuple[int, ...], counts: tuple[int, ...], like: Tensor
    ) -> list[tuple[Float[Tensor, "_ _"], Float[Tensor, "_ _"]]]:
        """Per axis what analyses values on so many points, and what synthesises them from so many modes."""
        zipped = zip(shape, counts, self.domain.boundary, self.domain.lengths, strict=True)
        pairs = (_axis_pair(n, m, faces, length, self.placement) for n, m, faces, length in zipped)
        return [(placed(a, like), placed(s, like)) for a, s in pairs]


def apply_axes(matrices: list[Float[Tensor, "_ _"]], u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """One matrix along each of the trailing axes: (M_1 x ... x M_d) u. Where channels lie last in memory they stay."""
    if u.ndim == len(matrices) + 2 and lies_channels_last(u) and not u.is_contiguous():
        for dim, matrix in enumerate(matrices, start=2):
            u = _along(matrix, u.movedim(1, -1), dim - 1).movedim(-1, 1)
        return u
    *others, last = matrices
    u = u @ last.mT
    for position, matrix in enumerate(others):
        dim = position - len(matrices)
        u = (matrix @ u) if dim == -2 else torch.tensordot(u, matrix.mT, dims=([dim], [0])).movedim(-1, dim)
    return u


def _along(matrix: Float[Tensor, "_ _"], u: Tensor, dim: int) -> Tensor:
    """One matrix along an axis that others follow, as one product of matrices for all of these."""
    before, after = u.shape[:dim], u.shape[dim + 1 :]
    v = torch.bmm(matrix.expand(math.prod(before), -1, -1), u.reshape(-1, u.shape[dim], math.prod(after)))
    return v.view(*before, -1, *after)
