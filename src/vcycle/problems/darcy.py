"""Darcy flow: -div(a grad u) = f, the pressure u of a fluid in rock of permeability a."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Field, Inputs
from vcycle.problems.diffusion import Diffusion, centred, positive, without_mean
from vcycle.problems.priors import Prior, TwoPhase


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
        if self.source == "constant":
            return self.prior.sample(self.domain, shape, seed, indices)
        a, f = self.prior.with_field(self.domain, shape, seed, indices).split(1, 1)
        return torch.cat([a, centred(f) if self.domain.floating else f], 1)

    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        self.require_channels(inputs)
        a = positive(inputs[:, :1])
        f = inputs[:, 1:] if self.source == "gaussian" else torch.ones_like(a)
        return a, without_mean(f) if self.domain.floating else f
