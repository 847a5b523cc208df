"""Modes on boxes with walls: sines, cosines and their quarter-wave mixtures, Fourier modes along periodic axes."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.solvers.fourier_grid import FourierGrid
from vcycle.solvers.matrix_modes import MatrixModes
from vcycle.solvers.modal_grid import ModalGrid, Spectrum, Values
from vcycle.spaces import CPU, Basis, Domain, Grid


@dataclass(frozen=True)
class BoxGrid(ModalGrid):
    """The orthonormal modes of a box that meet its boundary conditions, on cells: u = sum_k u_hat_k phi_k.

    One matrix product per axis. What is smooth and continues smoothly beyond the walls, by odd reflection about
    Dirichlet and even reflection about Neumann faces, is exact to rounding; pointwise functions keep that at Neumann
    faces, at Dirichlet faces if they are odd. Else coefficients decay like |k|^-3.

    >>> grid = BoxGrid(Domain.unit(1), (16,))
    >>> u = torch.sin(math.pi * Grid(grid.domain, (16,)).axis(0))
    >>> bool(torch.allclose(grid.inverse(grid.laplacian * grid.transform(u)), -(math.pi**2) * u))
    True
    """

    def transform(self, u: Values) -> Spectrum:
        return self._modes.analyse(u)

    def inverse(self, u_hat: Spectrum) -> Values:
        return self._modes.synthesise(u_hat)

    @cached_property
    def laplacian(self) -> Float[Tensor, "*modes"]:
        """The symbol -|omega|^2 of the Laplacian."""
        return -self._basis.laplacian(self.shape, device=self.device)

    @cached_property
    def resolved(self) -> Bool[Tensor, "*modes"]:
        """The modes 3 omega h < 2 pi."""
        keep = torch.ones((), dtype=torch.bool)
        for omega, h in zip(self._basis.wavenumbers(self.shape), Grid(self.domain, self.shape).spacing, strict=True):
            keep = keep[..., None] & (3 * omega * h < 2 * math.pi * (1 - 1e-12))
        return keep.to(self.device)

    @cached_property
    def _basis(self) -> Basis:
        return Basis(self.domain)

    @cached_property
    def _modes(self) -> MatrixModes:
        return MatrixModes(self.domain, self.shape, self.device)


def fitting_grid(domain: Domain, shape: tuple[int, ...], device: torch.device = CPU) -> ModalGrid:
    """Fourier modes on periodic boxes, else the modes of the boundary conditions."""
    return (FourierGrid if domain.torus else BoxGrid)(domain, shape, device)
