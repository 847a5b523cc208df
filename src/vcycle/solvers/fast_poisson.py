"""The Laplacian inverted by one transform in the basis that fits the boundary conditions."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from vcycle.solvers.matrix_modes import MatrixModes
from vcycle.spaces import Domain, PairedModes

Field = Inexact[Tensor, "b c *grid"]
Shift = Float[Tensor, "_ 1 *one"]

SHORT = 128  # cells per axis, up to which products with matrices are faster than Fourier transforms


def solve_poisson(f: Field, domain: Domain, shift: float | complex | Shift = 0.0) -> Field:
    """u with -lap u + shift u = f by second-order differences on cells, exact to rounding.

    Modes whose eigenvalue is 0 are left out: without a Dirichlet face and shift u has mean zero. A complex shift needs
    a complex f; a tensor holds one real shift for every sample, or for all.
    """
    modes = _modes(domain, tuple(f.shape[2:]), f.device)
    eigenvalues = modes.laplacian(f.device)
    if isinstance(modes, PairedModes) and isinstance(shift, Tensor):
        fields = _apart(f, modes)
        shifts = shift.flatten(2).expand(len(f), 1, 1).split(len(fields[0]))
        parts = [_solve(g, modes, _inverse(eigenvalues, s)) for g, s in zip(fields, shifts, strict=True)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]
    return _solve(f, modes, _inverse(eigenvalues, shift))


class FastPoisson:
    """f to the u with -lap u = f of `solve_poisson`, on one grid again and again: what it takes is made once."""

    def __init__(self, domain: Domain, shape: tuple[int, ...], device: torch.device):
        self.modes = _modes(domain, shape, device)
        self.inverse = _inverse(self.modes.laplacian(device), 0.0)

    def __call__(self, f: Field) -> Field:
        return _solve(f, self.modes, self.inverse)


def _modes(domain: Domain, shape: tuple[int, ...], device: torch.device) -> MatrixModes | PairedModes:
    return MatrixModes(domain, shape, device) if max(shape) <= SHORT else PairedModes(domain, shape)


def _inverse(eigenvalues: Tensor, shift: float | complex | Tensor) -> Tensor:
    symbol = eigenvalues + shift
    zero = symbol.abs() <= 1e-13 * eigenvalues.max()
    return symbol.reciprocal_().masked_fill_(zero, 0.0)


def _solve(f: Field, modes: MatrixModes | PairedModes, inverse: Tensor) -> Field:
    inverse = inverse.to(f)
    parts = [_by_parts(modes.synthesise, _by_parts(modes.analyse, g) * inverse) for g in _apart(f, modes)]
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _apart(f: Field, modes: MatrixModes | PairedModes) -> tuple[Inexact[Tensor, "_ c *grid"], ...]:
    """Sample by sample on the processor, where transforms along the first axis of several would copy them."""
    return f.split(1) if isinstance(modes, PairedModes) and f.device.type == "cpu" else (f,)


def _by_parts(function: Callable[[Tensor], Tensor], f: Tensor) -> Tensor:
    """A real linear function of real and imaginary part."""
    return torch.complex(function(f.real), function(f.imag)) if f.is_complex() else function(f)
