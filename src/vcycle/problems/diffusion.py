"""Diffusion, -div(a grad u) = f: the problems with an energy norm and a guaranteed bound."""

import math
from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vcycle.operators import FiniteVolume
from vcycle.problems.assembled import solve_assembled
from vcycle.problems.base import Field, Inputs, PerSample, Problem
from vcycle.problems.manufactured import manufactured
from vcycle.spaces import L2, Energy, Grid, Norm

Function = Float[Tensor, "1 1 *grid"]


@dataclass(frozen=True)
class Diffusion(Problem):
    """-div(a grad u) = f on a box; u = 0 on Dirichlet faces, no flow through Neumann faces.

    Without any Dirichlet face f must have mean zero, and u is the solution with mean zero.
    Discretisation: cell-centred finite volumes with harmonic means, second order for smooth a, first order where a
    jumps. The energy norm is ||a^(1/2) grad u||; hybrid.energy_bound bounds errors in it.
    """

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u",)

    @abstractmethod
    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        """The coefficient a and the source f, (b, 1, *grid) each; where f must have mean zero, rounding is removed."""

    def operator(self, inputs: Inputs) -> FiniteVolume:
        """A of the discrete equations A u = f |cell|."""
        return FiniteVolume.assemble(self.fields(inputs)[0], self.domain)

    def energy_norm(self, inputs: Inputs) -> Norm:
        """The norm that belongs to the equation with these inputs."""
        return Energy(self.domain, self.fields(inputs)[0])

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||f - A u|| / ||f|| in the norm weighted with the inverse diagonal of A."""
        A, load = self.system(inputs)
        r = load - A(u.double())
        return ((r.square() / A.diagonal).flatten(1).sum(1) / (load.square() / A.diagonal).flatten(1).sum(1)).sqrt()

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        a, f = (field.double() for field in self.fields(inputs))
        return L2(self.domain).relative(u.double(), solve_assembled(a, f, self.domain))

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth a, f and the exact u on a grid, for measuring the order of convergence (2)."""
        return manufactured(Grid(self.domain, shape))

    def system(self, inputs: Inputs) -> tuple[FiniteVolume, Field]:
        """A and the load f |cell| of the discrete equations, in double precision."""
        a, f = (field.double() for field in self.fields(inputs))
        cell = math.prod(Grid(self.domain, tuple(f.shape[2:])).spacing)
        return FiniteVolume.assemble(a, self.domain), f * cell


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
