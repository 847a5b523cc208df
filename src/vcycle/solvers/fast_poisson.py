"""The Laplacian inverted by one transform in the basis that fits the boundary conditions."""

from collections.abc import Callable

import torch
from jaxtyping import Inexact
from torch import Tensor

from vcycle.spaces import Basis, Domain, Grid

Field = Inexact[Tensor, "b c *grid"]


def solve_poisson(f: Field, domain: Domain, shift: float | complex = 0.0) -> Field:
    """u with -lap u + shift u = f by second-order differences on cells, exact to rounding.

    Modes whose eigenvalue is 0 are left out: without a Dirichlet face and shift u has mean zero. A complex shift needs
    a complex f.
    """
    shape = tuple(f.shape[2:])
    basis = Basis(domain)
    eigenvalues = basis.laplacian(basis.counts(shape), Grid(domain, shape).spacing) + shift
    zero = eigenvalues.abs() <= 1e-13 * eigenvalues.abs().max()
    inverse = torch.where(zero, 0.0, 1 / torch.where(zero, 1.0, eigenvalues))
    c = _by_parts(basis.analyse, f) * inverse.to(f)
    return _by_parts(lambda part: basis.synthesise(part, shape), c)


def _by_parts(function: Callable[[Tensor], Tensor], f: Tensor) -> Tensor:
    """A real linear function of real and imaginary part."""
    return torch.complex(function(f.real), function(f.imag)) if f.is_complex() else function(f)
