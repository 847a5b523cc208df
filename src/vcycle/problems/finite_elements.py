"""Linear elliptic systems -div(C grad u) = f by multilinear finite elements on cell centres."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from vcycle.operators import Compact, elements_multigrid
from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.element_matrices import solve_elements
from vcycle.problems.minimum import Cycle, Minimum, Quadratic, in_double
from vcycle.problems.stationary import Stationary
from vcycle.solvers import Solution, relative_residual, solve_elliptic
from vcycle.spaces import L2, Grid

Moduli = Float[Tensor, "..."]  # (b, c, d, c, d, 1, *grid)


@dataclass(frozen=True)
class FiniteElements(Stationary, Minimum):
    """-div(C grad u) = f on a box, C symmetric; u = 0 on Dirichlet faces, no flux C grad u through Neumann faces.

    Discretisation: multilinear elements whose nodes are the cell centres (operators.elements): symmetric, positive,
    second order for smooth C, first order where C jumps. Solved directly on small grids, else by conjugate gradients
    with the V-cycle of the same elements (solvers.elliptic).
    """

    def __post_init__(self) -> None:
        if self.domain.dimension == 1:
            raise ValueError(f"{self.name} is for two or three dimensions, got {self.domain}: give as many extents")
        if self.domain.floating:
            raise ValueError(f"{self.name} needs a dirichlet face that holds the solution, got {self.domain}: give one")

    @abstractmethod
    def moduli(self, inputs: Inputs) -> Moduli:
        """C in double precision: the flux (component, axis) per gradient (component, axis)."""

    @abstractmethod
    def forcing(self, inputs: Inputs) -> Field:
        """f on cells, in double precision."""

    @property
    def traction(self) -> tuple[float, ...] | None:
        """The flux C grad u n on the high face of the first axis, where a problem prescribes one."""
        return None

    def load(self, inputs: Inputs) -> Field:
        """f integrated over cells, with what acts on faces."""
        return self.forcing(inputs) * math.prod(Grid(self.domain, tuple(inputs.shape[2:])).spacing)

    def solve(
        self, inputs: Inputs, tolerance: float | None = None, most: int = 200, start: Field | None = None
    ) -> Solution:
        limit = self.tolerance if tolerance is None else tolerance
        moduli, load = self.moduli(inputs), self.load(inputs)
        return solve_elliptic(moduli, self.domain, load, start=start, tolerance=limit, most=most)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||f - A u|| / ||f|| in the norm weighted with the inverse diagonal of A."""
        return relative_residual(Compact.assemble(self.moduli(inputs), self.domain), self.load(inputs), u.double())

    def discrete(self, inputs: Inputs) -> "ElementsEnergy":
        moduli = self.moduli(inputs)
        return ElementsEnergy(Compact.assemble(moduli, self.domain), self.load(inputs), moduli)

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        other = solve_elements(self.moduli(inputs), self.load(inputs), self.domain)
        return L2(self.domain).relative(u.double(), other)


@dataclass(frozen=True)
class ElementsEnergy(Quadratic):
    """The energy of finite elements, with the V-cycle of the same elements."""

    A: Compact
    moduli: Moduli

    @property
    def cycles(self) -> int:
        """Two: one leaves a fifth of the errors of networks in H1."""
        return 2

    def cycle(self, careful: bool = False) -> Cycle:
        del careful
        return self._cycle

    @cached_property
    def _cycle(self) -> Cycle:
        return in_double(elements_multigrid(self.A, self.moduli))
