"""Semilinear evolution equations on boxes, as values: a linear symbol and a nonlinear term."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Complex, Float
from torch import Tensor

from vcycle.solvers.modal_grid import ModalGrid, Spectrum

Field = Float[Tensor, "b c *grid"]
Symbol = Float[Tensor, "..."] | Complex[Tensor, "..."]


@dataclass(frozen=True)
class Semilinear:
    """u_t = L u + N(u), in modes d/dt u_hat(k) = L(k) u_hat(k) + N(u)_hat(k).

    linear     the symbol L(k), real or complex, broadcasting against (b, c, *modes)
    nonlinear  u_hat to N(u)_hat; it is never changed in place
    """

    grid: ModalGrid
    linear: Symbol
    nonlinear: Callable[[Spectrum], Spectrum]

    def rate(self, u: Field) -> Field:
        """u_t = L u + N(u) at the points of the grid."""
        u_hat = self.grid.transform(u)
        return self.grid.inverse(self.linear * u_hat + self.nonlinear(u_hat))
