"""Diffusion and reaction, -div(a grad u) + c u = f: the problems with an energy norm and a guaranteed bound."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import FiniteVolume, classical_cycle, geometric_multigrid, of_samples
from vcycle.problems.assembled import solve_assembled
from vcycle.problems.base import MORE_ITERATIONS, Field, Inputs, PerSample
from vcycle.problems.manufactured import manufactured
from vcycle.problems.minimum import Cycle, Minimum, Quadratic
from vcycle.solvers import Solution, conjugate_gradients
from vcycle.spaces import L2, Energy, Grid, Norm

Function = Float[Tensor, "1 1 *grid"]
PART = 2**20  # cells solved together: with more, arrays leave the cache, and with fewer, calls cost more than work


@dataclass(frozen=True)
class Diffusion(Minimum):
    """-div(a grad u) + c u = f on a box, c >= 0; u = 0 on Dirichlet faces, no flow through Neumann faces.

    With neither a Dirichlet face nor a reaction f must have mean zero, and u is the solution with mean zero.
    Discretisation: cell-centred finite volumes with harmonic means, second order for smooth a, first order where a
    jumps. The square of the energy norm is ||a^(1/2) grad u||^2 + ||c^(1/2) u||^2; hybrid.energy_bound bounds errors
    in it.
    """

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u",)

    @abstractmethod
    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        """The coefficient a and the source f, (b, 1, *grid) each; where f must have mean zero, rounding is removed."""

    def reaction(self, inputs: Inputs) -> Field | None:
        """The reaction c >= 0, (b, 1, *grid); None where the equation has none."""
        del inputs
        return None

    def operator(self, inputs: Inputs) -> FiniteVolume:
        """A of the discrete equations A u = f |cell|."""
        return FiniteVolume.assemble(self.fields(inputs)[0], self.domain, self.reaction(inputs))

    def energy_norm(self, inputs: Inputs) -> Norm:
        """The norm that belongs to the equation with these inputs."""
        return Energy(self.domain, self.fields(inputs)[0], self.reaction(inputs))

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        tolerance = self.tolerance if tolerance is None else tolerance
        samples = max(1, PART // math.prod(inputs.shape[2:]))
        parts = [self._solve(part, tolerance, most) for part in inputs.split(samples)]
        return Solution.joined(parts, tolerance)

    @torch.no_grad()
    def _solve(self, inputs: Inputs, tolerance: float, most: int) -> Solution:
        A, load = self.system(inputs)
        cycle = classical_cycle(A, careful=most >= MORE_ITERATIONS)
        weight, floating = 1 / A.diagonal, A.floating
        solution = conjugate_gradients(
            A, load, cycle, weight=weight, floating=floating, tolerance=tolerance, most=most, select=of_samples
        )
        return solution.centred() if floating else solution

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||f - A u|| / ||f|| in the norm weighted with the inverse diagonal of A."""
        A, load = self.system(inputs)
        r = load - A(u.double())
        return ((r.square() / A.diagonal).flatten(1).sum(1) / (load.square() / A.diagonal).flatten(1).sum(1)).sqrt()

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        a, f = (field.double() for field in self.fields(inputs))
        return L2(self.domain).relative(u.double(), solve_assembled(a, f, self.domain, self.reaction(inputs)))

    def discrete(self, inputs: Inputs) -> "VolumesEnergy":
        return VolumesEnergy(*self.system(inputs))

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth a, f and the exact u on a grid, for measuring the order of convergence (2)."""
        return manufactured(Grid(self.domain, shape))

    def system(self, inputs: Inputs) -> tuple[FiniteVolume, Field]:
        """A and the load f |cell| of the discrete equations, in double precision."""
        a, f = (field.double() for field in self.fields(inputs))
        cell = math.prod(Grid(self.domain, tuple(f.shape[2:])).spacing)
        c = self.reaction(inputs)
        return FiniteVolume.assemble(a, self.domain, None if c is None else c.double()), f * cell


@dataclass(frozen=True)
class VolumesEnergy(Quadratic):
    """The energy of finite volumes, with their V-cycles; `careful` where coarse grids are to come from A itself."""

    A: FiniteVolume

    @property
    def cycles(self) -> int:
        """One in the plane, where it leaves less than a tenth in H1; two in space."""
        return 1 if self.A.domain.dimension < 3 else 2

    def cycle(self, careful: bool = False) -> Cycle:
        return self._careful if careful else self._quick

    @cached_property
    def _quick(self) -> Cycle:
        return geometric_multigrid(self.A)

    @cached_property
    def _careful(self) -> Cycle:
        return classical_cycle(self.A, careful=True)


def positive(a: Field) -> Field:
    """a, or ValueError where it is not positive."""
    if not bool((a > 0).all()):
        raise ValueError(f"the coefficient a must be positive everywhere, got a minimum of {float(a.min()):g}")
    return a


def without_mean(f: Field) -> Field:
    """f in double precision with mean zero, for an f whose mean is zero up to single precision."""
    axes = tuple(range(1, f.ndim))
    mean = f.double().mean(axes, keepdim=True)
    if bool((mean.abs() > 1e-5 * f.abs().amax(axes, keepdim=True)).any()):
        raise ValueError(
            f"without a Dirichlet face the source must have mean zero, got {float(mean.abs().max()):g}: subtract it"
        )
    return f.double() - mean


def centred(f: Field) -> Field:
    """f minus the mean of every sample."""
    return f - f.mean(tuple(range(2, f.ndim)), keepdim=True)
