"""Vorticity of two-dimensional incompressible flow: w = d_x v - d_y u on periodic boxes of any lengths.

All functions take the grid on the trailing axes, are differentiable, and keep device and precision.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.solvers.fourier_grid import FourierGrid, Spectrum, like
from vcycle.spaces import Domain

Field = Float[Tensor, "*leading x y"]
FEWEST_SNAPSHOTS = 5


def velocity(w: Field, domain: Domain) -> tuple[Field, Field]:
    """u = (psi_y, -psi_x) with -lap psi = w: without divergence, with mean zero, its curl is w - mean(w)."""
    grid = _grid(w, domain)
    return _velocity(grid, grid.transform(w))


def advection(w: Field, domain: Domain) -> Field:
    """u . grad w by the 2/3 rule: w is cut to the modes 3 |m| < n, and so is the product, which is then exact."""
    grid = _grid(w, domain)
    w_hat = grid.transform(w)
    return grid.inverse(advection_spectrum(grid, w_hat, advection_symbols(grid).to(w_hat)))


def advection_symbols(grid: FourierGrid) -> Complex[Tensor, "4 x y"]:
    """What turns w_hat into (u, v, w_x, w_y), cut by the 2/3 rule."""
    kx, ky = grid.odd_wavenumbers
    symbols = 1j * ky * grid.inverse_laplacian, -1j * kx * grid.inverse_laplacian, 1j * kx, 1j * ky
    return torch.stack(torch.broadcast_tensors(*symbols)) * grid.resolved


def advection_spectrum(grid: FourierGrid, w_hat: Spectrum, symbols: Spectrum) -> Spectrum:
    """(u . grad w)_hat from w_hat."""
    u, v, wx, wy = grid.inverse(w_hat[..., None, :, :] * symbols).unbind(-3)
    return grid.transform(torch.addcmul(u * wx, v, wy)) * like(grid.resolved, w_hat)


def residual(
    w: Float[Tensor, "b t x y"], step: float, viscosity: float, forcing: Float[Tensor, "..."] | float, domain: Domain
) -> Float[Tensor, "b t x y"]:
    """w_t + u . grad w - nu lap w - f of snapshots `step` apart; `forcing` broadcasts to w.

    Space derivatives are spectral, w_t by differences of fourth order in time: central, one-sided for the first and the
    last two snapshots. At least five snapshots.
    """
    grid = _grid(w, domain)
    w_hat = grid.transform(w)
    laplacian = grid.inverse(w_hat * like(grid.laplacian, w_hat))
    return time_derivative(w, step) + advection(w, domain) - viscosity * laplacian - forcing


def time_derivative(w: Float[Tensor, "b t *grid"], step: float) -> Float[Tensor, "b t *grid"]:
    """d/dt of snapshots `step` apart, by differences of fourth order."""
    count = w.shape[1]
    if count < FEWEST_SNAPSHOTS:
        raise ValueError(
            f"a time derivative of fourth order needs at least {FEWEST_SNAPSHOTS} snapshots, got {count}: "
            "predict more snapshots"
        )
    matrix = torch.zeros(count, count, dtype=torch.float64)
    for row in range(count):
        first = min(max(row - 2, 0), count - FEWEST_SNAPSHOTS)
        matrix[row, first : first + FEWEST_SNAPSHOTS] = torch.tensor(WEIGHTS[row - first], dtype=torch.float64) / 12
    return torch.einsum("st,bt...->bs...", (matrix / step).to(w), w)


# Row i: 12 h times the derivative at point i of five, exact for polynomials of degree four.
WEIGHTS = (
    (-25.0, 48.0, -36.0, 16.0, -3.0),
    (-3.0, -10.0, 18.0, -6.0, 1.0),
    (1.0, -8.0, 0.0, 8.0, -1.0),
    (-1.0, 6.0, -18.0, 10.0, 3.0),
    (3.0, -16.0, 36.0, -48.0, 25.0),
)


def _velocity(grid: FourierGrid, w_hat: Tensor) -> tuple[Field, Field]:
    kx, ky = grid.odd_wavenumbers
    u_hat = w_hat * like(1j * ky * grid.inverse_laplacian, w_hat)
    v_hat = w_hat * like(-1j * kx * grid.inverse_laplacian, w_hat)
    return grid.inverse(u_hat), grid.inverse(v_hat)


def _grid(w: Tensor, domain: Domain) -> FourierGrid:
    if domain.dimension != 2:
        raise ValueError(
            f"a scalar vorticity belongs to flow in two dimensions, got {domain}: use a periodic rectangle"
        )
    return FourierGrid(domain, tuple(w.shape[-2:]), w.device)
