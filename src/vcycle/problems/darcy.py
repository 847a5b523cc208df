"""Darcy flow: -div(a grad u) = f, the pressure u of a fluid in rock of permeability a."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.problems.assembled import solve_assembled
from vcycle.problems.base import Field, Inputs, PerSample, Problem
from vcycle.problems.manufactured import manufactured
from vcycle.problems.priors import Prior, TwoPhase
from vcycle.solvers import Solution, conjugate_gradients
from vcycle.spaces import L2, Energy, GaussianField, Grid, Norm

SINGLE_PRECISION_CONTRAST = 1e3
SOURCE_STREAM = 1


@dataclass(frozen=True)
class Darcy(Problem):
    """-div(a grad u) = f on a box; u = 0 on Dirichlet faces, no flow through Neumann faces.

    Behaviour: elliptic, u is smooth where a is, with kinks where a jumps; the map a -> u is non-linear and bounded.
    Inputs: a > 0 from the `prior`, and f if `source` is 'gaussian'; with 'constant' f = 1. Without any Dirichlet face
    f must have mean zero (use 'gaussian') and u is the solution with mean zero.
    Discretisation: cell-centred finite volumes with harmonic means, second order for smooth a, first order where a
    jumps. Good values: contrast 4 (12/3) at 64 x 64 for a first network; the solver takes contrasts to 1e6.

    >>> problem = Darcy()
    >>> a = problem.sample((32, 32), seed=0, indices=range(2))
    >>> solution = problem.solve(a)
    >>> solution.converged.tolist()
    [True, True]
    >>> bool((problem.verify(a, solution.value) < 1e-8).all())
    True
    """

    name: ClassVar[str] = "darcy"
    equation: ClassVar[str] = "-div(a grad u) = f"

    prior: Prior = TwoPhase()
    source: Literal["constant", "gaussian"] = "constant"

    def __post_init__(self) -> None:
        if self.domain.floating and self.source == "constant":
            raise ValueError(
                f"no solution exists on {self.domain} for f = 1: without a Dirichlet face the source must have mean "
                "zero; use source='gaussian'"
            )

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("a",) if self.source == "constant" else ("a", "f")

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("u",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        a = self.prior.sample(self.domain, shape, seed, indices)
        if self.source == "constant":
            return a
        field = GaussianField(self.domain)
        f = field.sample(shape, seed, indices, stream=SOURCE_STREAM) / math.sqrt(field.variance)
        return torch.cat([a, f - f.mean(tuple(range(2, f.ndim)), keepdim=True) if self.domain.floating else f], 1)

    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        """The coefficient a and the source f, (b, 1, *grid) each; where f must have mean zero, rounding is removed."""
        expected = len(self.input_names)
        if inputs.ndim != self.domain.dimension + 2 or inputs.shape[1] != expected:
            raise ValueError(
                f"{self.name} on {self.domain} takes inputs of shape (batch, {expected}, *grid) with channels "
                f"{', '.join(self.input_names)}, got {tuple(inputs.shape)}"
            )
        a = inputs[:, :1]
        if not bool((a > 0).all()):
            raise ValueError(f"the coefficient a must be positive everywhere, got a minimum of {float(a.min()):g}")
        f = inputs[:, 1:] if expected == 2 else torch.ones_like(a)
        return a, _without_mean(f) if self.domain.floating else f

    def operator(self, inputs: Inputs) -> FiniteVolume:
        """A of the discrete equations A u = f |cell|."""
        return FiniteVolume.assemble(self.fields(inputs)[0], self.domain)

    def solve(self, inputs: Inputs, tolerance: float = 1e-10, most: int = 200) -> Solution:
        with torch.no_grad():
            A, load = self._system(inputs)
            a = inputs[:, :1]
            # Single precision keeps 7 digits and the contrast takes log10(contrast) of them.
            single = bool(a.amax() < SINGLE_PRECISION_CONTRAST * a.amin())
            cycle = geometric_multigrid(A.to_dtype(torch.float32) if single else A)
            solution = conjugate_gradients(
                A, load, cycle, weight=1 / A.diagonal, floating=self.domain.floating, tolerance=tolerance, most=most
            )
        return solution.centred() if self.domain.floating else solution

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """||f - A u|| / ||f|| in the norm weighted with the inverse diagonal of A."""
        A, load = self._system(inputs)
        r = load - A(u.double())
        return ((r.square() / A.diagonal).flatten(1).sum(1) / (load.square() / A.diagonal).flatten(1).sum(1)).sqrt()

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        a, f = (field.double() for field in self.fields(inputs))
        return L2(self.domain).relative(u.double(), solve_assembled(a, f, self.domain))

    def energy_norm(self, inputs: Inputs) -> Norm:
        return Energy(self.domain, self.fields(inputs)[0])

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Field, Field, Field]:
        """Smooth a, f and the exact u on a grid, for measuring the order of convergence (2)."""
        return manufactured(Grid(self.domain, shape))

    def to_dict(self) -> dict[str, Any]:
        domain = self.domain.to_dict()
        return {
            "name": self.name,
            "dimension": self.domain.dimension,
            **domain,
            "prior": self.prior.to_dict(),
            "source": self.source,
        }

    def _system(self, inputs: Inputs) -> tuple[FiniteVolume, Field]:
        """A and the load f |cell| of the discrete equations, in double precision."""
        a, f = (field.double() for field in self.fields(inputs))
        cell = math.prod(Grid(self.domain, tuple(f.shape[2:])).spacing)
        return FiniteVolume.assemble(a, self.domain), f * cell


def _without_mean(f: Field) -> Field:
    """f in double precision with mean zero, for an f whose mean is zero up to single precision."""
    axes = tuple(range(1, f.ndim))
    mean = f.double().mean(axes, keepdim=True)
    if bool((mean.abs() > 1e-5 * f.abs().amax(axes, keepdim=True)).any()):
        raise ValueError(
            f"without a Dirichlet face the source must have mean zero, got {float(mean.abs().max()):g}: subtract it"
        )
    return f.double() - mean
