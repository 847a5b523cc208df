"""The p-Laplacian: flow whose resistance depends on its speed by a power law."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Inputs
from vcycle.problems.exact import Function
from vcycle.problems.priors import LogNormal, Prior
from vcycle.problems.variational import Values, Variational
from vcycle.problems.variational_energy import DiscreteEnergy


@dataclass(frozen=True)
class PLaplacian(Variational):
    """-div(a (epsilon^2 + |grad u|^2)^(p/2 - 1) grad u) = f on a box; u = 0 on Dirichlet faces, no flux through Neumann
    faces: the minimum of the integral of a (epsilon^2 + |grad u|^2)^(p/2) / p - f u.

    p        the exponent; 2 is Darcy flow, above 2 the flow resists where it is slow, below 2 where it is fast
    epsilon  slopes below it see a constant coefficient: the p-Laplacian proper is degenerate (p > 2) or singular
             (p < 2) where grad u = 0
    prior    distribution of a > 0
    source   'constant': f = 1; 'gaussian': a random field, a second input

    Behaviour: u scales with f^(1/(p - 1)); for p > 2 it is flat with a cusp-like |x|^(p/(p-1)) around extrema, where
    second derivatives are unbounded; for p < 2 plateaus form with steep sides.
    Good values: p = 3 or 1.5, epsilon a hundredth of typical slopes. Limits: 1.2 <= p <= 8 and epsilon >= 1e-4, for
    which Newton's method was seen to converge (in 5 to 30 steps) with slopes of order 1.
    """

    name: ClassVar[str] = "p_laplacian"
    title: ClassVar[str] = "the p-Laplacian"
    equation: ClassVar[str] = "-div(a (epsilon^2 + |grad u|^2)^(p/2 - 1) grad u) = f"

    prior: Prior = LogNormal(sigma=0.5)
    p: float = 3.0
    epsilon: float = 1e-2
    source: Literal["constant", "gaussian"] = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1.2 <= self.p <= 8:
            raise ValueError(f"p_laplacian needs 1.2 <= p <= 8, got {self.p:g}")
        if not 1e-4 <= self.epsilon < math.inf:
            raise ValueError(f"p_laplacian needs epsilon >= 1e-4, got {self.epsilon:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("a",) if self.source == "constant" else ("a", "f")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("a",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        draw = self.prior.sample if self.source == "constant" else self.prior.with_field
        return draw(self.domain, shape, seed, indices)

    def density(self, s: Values) -> Values:
        return (self.epsilon**2 + s) ** (self.p / 2) / self.p

    def diffusivity(self, s: Values) -> Values:
        return (self.epsilon**2 + s) ** (self.p / 2 - 1)

    def diffusivity_slope(self, s: Values) -> Values:
        return (self.p / 2 - 1) * (self.epsilon**2 + s) ** (self.p / 2 - 2)

    def discrete(self, inputs: Inputs) -> DiscreteEnergy:
        self.require_channels(inputs)
        a, zero = inputs[:, :1].double(), torch.zeros_like(inputs[:, :1].double())
        if not bool((a > 0).all()):
            raise ValueError(f"the coefficient a must be positive everywhere, got a minimum of {float(a.min()):g}")
        f = inputs[:, 1:].double() if self.source == "gaussian" else torch.ones_like(a)
        return DiscreteEnergy(self, self.domain, a, zero, f, zero)

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth a, f and the exact u on a grid, for measuring the order of convergence (2)."""
        return self._manufactured(shape, weighs_gradient=True)
