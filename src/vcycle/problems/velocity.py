"""Velocities of incompressible flow on periodic boxes in two and three dimensions, in Fourier space.

Spectra are (b, i, *modes) with the component i, gradients (b, i, j, *grid) with d_j u_i.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.solvers.fourier_grid import FourierGrid, Spectrum

Gradient = Float[Tensor, "b i j *grid"]


def gradient_symbols(grid: FourierGrid) -> Complex[Tensor, "j *modes"]:
    """i k_j, cut by the 2/3 rule."""
    return torch.stack(torch.broadcast_tensors(*(1j * grid.resolved * k for k in grid.odd_wavenumbers)))


def without_divergence(grid: FourierGrid, u_hat: Spectrum) -> Spectrum:
    """The Leray projection u - grad lap^-1 div u; means stay."""
    k = torch.stack(torch.broadcast_tensors(*grid.odd_wavenumbers))
    divergence = (k * u_hat).sum(1, keepdim=True)
    return u_hat - k * (grid.inverse_laplacian * divergence)


def curl(grid: FourierGrid, potential: Spectrum) -> Spectrum:
    """The velocity (psi_y, -psi_x) of a stream function, or curl A of a vector potential (b, 3, *modes)."""
    k = [1j * q for q in grid.odd_wavenumbers]
    if len(k) == 2:
        psi = potential[:, 0]
        return torch.stack([k[1] * psi, -k[0] * psi], 1)
    a = potential.unbind(1)
    return torch.stack([k[(i + 1) % 3] * a[(i + 2) % 3] - k[(i + 2) % 3] * a[(i + 1) % 3] for i in range(3)], 1)


def strain(gradient: Gradient) -> Gradient:
    """S = (grad u + its transpose) / 2."""
    return (gradient + gradient.transpose(1, 2)) / 2


def strain_rate(S: Gradient) -> Float[Tensor, "b *grid"]:
    """|S| = (2 S_ij S_ij)^(1/2)."""
    return (2 * S.square().sum((1, 2))).sqrt()
