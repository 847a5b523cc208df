"""The Laplacian inverted by one transform in the basis that fits the boundary conditions."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from vcycle.spaces import Basis, Domain, Grid, PairedModes

Field = Inexact[Tensor, "b c *grid"]
Shift = Float[Tensor, "_ 1 *one"]
Transform = Callable[[Tensor], Tensor]

SHORT = 128  # cells per axis, up to which products with matrices are faster than Fourier transforms


def solve_poisson(f: Field, domain: Domain, shift: float | complex | Shift = 0.0) -> Field:
    """u with -lap u + shift u = f by second-order differences on cells, exact to rounding.

    Modes whose eigenvalue is 0 are left out: without a Dirichlet face and shift u has mean zero. A complex shift needs
    a complex f; a tensor holds one real shift for every sample, or for all.
    """
    shape = tuple(f.shape[2:])
    if max(shape) <= SHORT:
        basis = Basis(domain)
        eigenvalues = basis.laplacian(basis.counts(shape), Grid(domain, shape).spacing).to(f.device)
        return _solve(f, eigenvalues, shift, basis.analyse, lambda c: basis.synthesise(c, shape))
    modes = PairedModes(domain, shape)
    eigenvalues = modes.laplacian().to(f.device)
    shifts = shift.flatten(2).expand(len(f), 1, 1) if isinstance(shift, Tensor) else [shift] * len(f)
    # Sample by sample: transforms along the first axis of several would copy them.
    parts = [
        _solve(g, eigenvalues, s, modes.analyse, modes.synthesise) for g, s in zip(f.split(1), shifts, strict=True)
    ]
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _solve(
    f: Field, eigenvalues: Tensor, shift: float | complex | Tensor, analyse: Transform, synthesise: Transform
) -> Field:
    symbol = eigenvalues + shift
    zero = symbol.abs() <= 1e-13 * eigenvalues.max()
    inverse = symbol.reciprocal_().masked_fill_(zero, 0.0)
    return _by_parts(synthesise, _by_parts(analyse, f) * inverse.to(f))


def _by_parts(function: Transform, f: Tensor) -> Tensor:
    """A real linear function of real and imaginary part."""
    return torch.complex(function(f.real), function(f.imag)) if f.is_complex() else function(f)
