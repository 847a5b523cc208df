"""What a bound must know of an equation: its functions, flows in equilibrium, and their distance."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.equilibration import dual_norm
from vcycle.hybrid.flow import Flow, conductances_of, differences, excess, misfit, per_cell, squares
from vcycle.hybrid.tighten import equilibrated_flux
from vcycle.operators import FiniteVolume, Multigrid, classical_cycles
from vcycle.spaces import Domain, Grid

Field = Float[Tensor, "b 1 *grid"]
Function = Float[Tensor, "b 1 *points"]
PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class Equation(ABC):
    """-div(a grad u) + c u = f on the cells of a grid, and the norm |||.||| that belongs to it.

    a   (b, 1, *grid) > 0
    c   (b, 1, *grid) >= 0, None for 0
    """

    a: Field
    c: Field | None
    domain: Domain

    @property
    def volume(self) -> float:
        """Of a cell."""
        return math.prod(Grid(self.domain, tuple(self.a.shape[2:])).spacing)

    @abstractmethod
    def function(self, v: Field) -> Function:
        """The admissible function that cell values v stand for."""

    @cached_property
    def operator(self) -> FiniteVolume:
        """A of the finite-volume equations."""
        return FiniteVolume.assemble(self.a, self.domain, self.c)

    @cached_property
    def hierarchies(self) -> list[Multigrid]:
        """The V-cycles that tighten a bound, in turn."""
        return classical_cycles(self.operator)

    def flow(self, v: Field, load: Field, cycles: int) -> Flow:
        """A flow in equilibrium with the load, near that of the solution if the cell values v are near it."""
        taken = [self.hierarchies[i % len(self.hierarchies)] for i in range(cycles)]
        return equilibrated_flux(v, self.operator, load, taken, self._absorption)

    @property
    def _absorption(self) -> Field | None:
        """c / a with the harmonic mean of a."""
        return None if self.c is None else self.c * (1 / self.a).mean(tuple(range(1, self.a.ndim)), keepdim=True)

    @abstractmethod
    def misfit(self, q: Flow, w: Function) -> Field:
        """What cells add to ||q - flow of w||^2, a quadratic form in (q, w)."""

    @abstractmethod
    def square(self, w: Function) -> Field:
        """What cells add to |||w|||^2."""

    @abstractmethod
    def means(self, w: Function) -> Field:
        """The mean of w over every cell."""

    @abstractmethod
    def deviation(self, w: Function, oscillation: Field | None) -> Field:
        """sup (r, z) / |||z||| per cell, bounded from above, for r the part of f - c w that no flow balances."""

    def imbalance(self, q: Flow, load: Field) -> PerSample:
        """What rounding left out of equilibrium, in the norm dual to |||.|||, bounded from above."""
        rest = excess(tuple(t.detach() for t in q), load, self.domain)
        return dual_norm(rest, self.a, self.c, self.domain)


class Discrete(Equation):
    """The finite-volume equations; functions are cell values."""

    def function(self, v: Field) -> Function:
        return v

    def misfit(self, q: Flow, w: Function) -> Field:
        rest = misfit(q, w, self.operator)
        return per_cell(squares(rest, rest, self.operator), self.domain)

    def square(self, w: Function) -> Field:
        A = self.operator
        return per_cell(
            tuple(k * d.square() for k, d in zip(conductances_of(A), differences(w, A), strict=True)), self.domain
        )

    def means(self, w: Function) -> Field:
        return w

    def deviation(self, w: Function, oscillation: Field | None) -> Field:
        """None: the equations know means over cells only."""
        return w.new_zeros(()).expand(w.shape)
