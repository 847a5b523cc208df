"""Darcy flow: -div(a grad u) = f, the pressure u of a fluid in rock of permeability a."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.operators import geometric_multigrid
from vcycle.problems.base import MORE_ITERATIONS, Field, Inputs
from vcycle.problems.diffusion import Diffusion, centred, without_mean
from vcycle.problems.priors import Prior, TwoPhase
from vcycle.solvers import Solution, conjugate_gradients
from vcycle.spaces import GaussianField

SINGLE_PRECISION_CONTRAST = 1e3
SOURCE_STREAM = 1


@dataclass(frozen=True)
class Darcy(Diffusion):
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
    title: ClassVar[str] = "Darcy flow"
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
    def positive_names(self) -> tuple[str, ...]:
        return ("a",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        a = self.prior.sample(self.domain, shape, seed, indices)
        if self.source == "constant":
            return a
        f = GaussianField(self.domain).standard(shape, seed, indices, stream=SOURCE_STREAM)
        return torch.cat([a, centred(f) if self.domain.floating else f], 1)

    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        self.require_channels(inputs)
        a = inputs[:, :1]
        if not bool((a > 0).all()):
            raise ValueError(f"the coefficient a must be positive everywhere, got a minimum of {float(a.min()):g}")
        f = inputs[:, 1:] if self.source == "gaussian" else torch.ones_like(a)
        return a, without_mean(f) if self.domain.floating else f

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        with torch.no_grad():
            A, load = self.system(inputs)
            a = inputs[:, :1]
            # Single precision keeps 7 digits and the contrast takes log10(contrast) of them; careful solves do without.
            single = most < MORE_ITERATIONS and bool(a.amax() < SINGLE_PRECISION_CONTRAST * a.amin())
            cycle = geometric_multigrid(A.to_dtype(torch.float32) if single else A)
            solution = conjugate_gradients(
                A,
                load,
                cycle,
                weight=1 / A.diagonal,
                floating=self.domain.floating,
                tolerance=self.tolerance if tolerance is None else tolerance,
                most=most,
            )
        return solution.centred() if self.domain.floating else solution
