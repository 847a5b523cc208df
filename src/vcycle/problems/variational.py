"""Nonlinear variational elliptic problems: u minimises the integral of a l(|grad u|^2) + c V(u) - f u."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.exact import Function, exact_solution, points_of, source_of, wave
from vcycle.problems.minimum import Minimum
from vcycle.problems.stationary import Stationary
from vcycle.problems.variational_energy import DiscreteEnergy, Integrand
from vcycle.problems.variational_matrices import minimise_assembled
from vcycle.solvers import Solution, newton
from vcycle.spaces import L2, Grid

Values = Float[Tensor, "..."]


@dataclass(frozen=True)
class Variational(Stationary, Integrand, Minimum):
    """-div(a D(|grad u|^2) grad u) + c V'(u) = f on a box, the minimum of the energy

        E(u) = integral of a l(|grad u|^2) + c V(u) - f u,    D = 2 l',

    with l such that p -> l(|p|^2) is strictly convex, and V convex: then u is unique.
    u = g on Dirichlet faces, no flux a D grad u through Neumann faces.

    Discretisation: the energy of multilinear functions with nodes at the cell centres (operators.elements), its
    gradients in the subcells, V and f at the nodes. A discrete energy makes the equations symmetric, Newton's method
    safe, and the order 2 for smooth solutions without a thought on fluxes; cell centres are where data live.
    Solver: Newton with a line search on E; the steps directly, or by conjugate gradients on finer and three-dimensional
    grids (solvers.elliptic).
    Source: P17, whose class of equations this is.
    """

    def __post_init__(self) -> None:
        if self.domain.floating:
            raise ValueError(f"{self.name} needs a dirichlet face that fixes the solution, got {self.domain}: give one")

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u",)

    @abstractmethod
    def discrete(self, inputs: Inputs) -> DiscreteEnergy:
        """E with the data of the inputs."""

    def solve(
        self, inputs: Inputs, tolerance: float | None = None, most: int = 200, start: Field | None = None
    ) -> Solution:
        with torch.no_grad():
            E = self.discrete(inputs)
            begin = E.start() if start is None else E.start_from(start)
            return newton(E, begin, tolerance=self.tolerance if tolerance is None else tolerance, most=most)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||E'(u)|| / (||f|| + ||c V'(u)|| + ||a D grad u|| / length), norms of L2, the length the box's shortest."""
        E = self.discrete(inputs)
        return E.residual(u.double(), E.gradient(u.double()))

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        return L2(self.domain).relative(u.double(), minimise_assembled(self.discrete(inputs), self.tolerance))

    def _manufactured(self, shape: tuple[int, ...], weighs_gradient: bool) -> tuple[Function, Function, Function]:
        """A smooth coefficient of l or else of V, f and the exact u at the points of a grid."""
        points = points_of(Grid(self.domain, shape))
        u, weight = exact_solution(points, self.domain), 1 + 0.5 * wave(points, self.domain)
        a = weight if weighs_gradient else torch.ones_like(weight)
        f = source_of(u, lambda p: a * self.diffusivity(p.square().sum((0, 1))) * p, points) + weight * self.reaction(u)
        return weight.detach()[None, None], f.detach()[None], u.detach()[None]
