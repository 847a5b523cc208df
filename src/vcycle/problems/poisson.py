"""Poisson's equation -lap u = f with a rough random source."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Field, Inputs
from vcycle.problems.diffusion import Diffusion, centred, without_mean
from vcycle.solvers import Solution, solve_poisson
from vcycle.spaces import GaussianField


@dataclass(frozen=True)
class Poisson(Diffusion):
    """-lap u = f on a box; u = 0 on Dirichlet faces, no flow through Neumann faces.

    Behaviour: elliptic and linear, u has two derivatives more than f: the inverse damps the waves of f by 1 / |k|^2.
    Inputs: f, a Gaussian field of unit variance ('gaussian'), or its sign ('two_phase'): charges of both kinds with
    sharp boundaries. alpha and tau: smoothness and inverse length of the field; smaller alpha is rougher, alpha >= d/2.
    Without any Dirichlet face the mean of f is taken out and u is the solution with mean zero.
    Solved exactly (the discrete equations, to rounding) by one transform in the basis that fits the boundary
    conditions; second order in the spacing. Has the energy norm and the guaranteed bound of diffusion with a = 1.

    >>> problem = Poisson()
    >>> f = problem.sample((16, 16), seed=0, indices=range(2))
    >>> bool((problem.residual(f, problem.solve(f).value) < 1e-12).all())
    True
    """

    name: ClassVar[str] = "poisson"
    title: ClassVar[str] = "Poisson's equation"
    equation: ClassVar[str] = "-lap u = f"

    source: Literal["gaussian", "two_phase"] = "gaussian"
    alpha: float = 1.5
    tau: float = 5.0

    def __post_init__(self) -> None:
        if not self.domain.dimension / 2 <= self.alpha < math.inf:
            raise ValueError(
                f"poisson on {self.domain} needs alpha >= d / 2 = {self.domain.dimension / 2:g}, or f is no function, "
                f"got {self.alpha:g}"
            )

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("f",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        field = GaussianField(self.domain, self.alpha, self.tau)
        z = field.standard(shape, seed, indices)
        f = z if self.source == "gaussian" else torch.where(z > 0, 1.0, -1.0).to(z)
        return centred(f) if self.domain.floating else f

    def fields(self, inputs: Inputs) -> tuple[Field, Field]:
        self.require_channels(inputs)
        return torch.ones_like(inputs), without_mean(inputs) if self.domain.floating else inputs

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        del most  # one transform is the solution
        u = solve_poisson(self.fields(inputs)[1].double(), self.domain)
        residual = self.residual(inputs, u)
        worst = f"solved by one transform to relative residuals of at most {float(residual.max()):.1e}"
        return Solution(u, residual, 1, residual <= (self.tolerance if tolerance is None else tolerance), worst)
