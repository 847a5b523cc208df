"""An implicit step of the heat equation in a medium: (u - u_0) / tau - div(a grad u) = 0."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs
from vcycle.problems.diffusion import Diffusion, Function, positive
from vcycle.problems.priors import Prior, TwoPhase


@dataclass(frozen=True)
class ImplicitHeat(Diffusion):
    """(u - u_0) / tau - div(a grad u) = 0 on a box; u = 0 on Dirichlet faces, no flow through Neumann faces.

    One step tau of the implicit Euler method for u_t = div(a grad u): diffusion with the reaction c = 1 / tau and the
    source u_0 / tau, in every implicit time stepping the equation to be solved again and again.

    prior   distribution of the conductivity a
    step    tau: waves of u_0 longer than sqrt(a tau) stay, shorter ones are smoothed out

    Behaviour: linear in u_0; maxima do not grow, and without Dirichlet faces the integral of u_0 is kept.
    Inputs: a and u_0, a Gaussian field of unit variance. Discretised and solved like darcy, also without any Dirichlet
    face. Good values: step = 0.01 with a around 1 on the unit square smooths over a tenth of it.

    >>> problem = ImplicitHeat()
    >>> inputs = problem.sample((16, 16), seed=0, indices=range(2))
    >>> u = problem.solve(inputs).value
    >>> bool(u.abs().amax() <= inputs[:, 1].abs().amax())
    True
    """

    name: ClassVar[str] = "implicit_heat"
    title: ClassVar[str] = "an implicit step of the heat equation"
    equation: ClassVar[str] = "(u - u_0) / tau - div(a grad u) = 0"

    prior: Prior = TwoPhase(0.5, 2.0)
    step: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.step < math.inf:
            raise ValueError(f"implicit_heat needs a finite step > 0, got {self.step:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("a", "u_0")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("a",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        return self.prior.with_field(self.domain, shape, seed, indices)

    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        self.require_channels(inputs)
        return positive(inputs[:, :1]), inputs[:, 1:] / self.step

    def reaction(self, inputs: Inputs) -> Float[Tensor, "b 1 *grid"]:
        return torch.full_like(inputs[:, :1], 1 / self.step)

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth a, u_0 and the exact u on a grid, for measuring the order of convergence (2)."""
        a, f, u = super().manufactured(shape)
        return a, u + self.step * f, u
