"""A semilinear elliptic equation: diffusion with a cubic sink."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Inputs
from vcycle.problems.exact import Function
from vcycle.problems.priors import LogNormal, Prior
from vcycle.problems.variational import Values, Variational
from vcycle.problems.variational_energy import DirichletEnergy, DiscreteEnergy


@dataclass(frozen=True)
class SemilinearElliptic(DirichletEnergy, Variational):
    """-lap u + c u^3 = f on a box; u = 0 on Dirichlet faces, no flux through Neumann faces: the minimum of the integral
    of |grad u|^2 / 2 + c u^4 / 4 - f u.

    prior      distribution of c > 0
    amplitude  standard deviation of f, a Gaussian field

    Behaviour: elliptic, u two derivatives smoother than f; where f is large u saturates at (f / c)^(1/3), so that the
    map is far from linear for amplitudes of 50 and more on the unit square, and nearly linear below 5.
    Inputs: c and f. Good values: amplitude 100. The cubic makes E strictly convex: u is unique for every f.
    """

    name: ClassVar[str] = "semilinear"
    title: ClassVar[str] = "diffusion with a cubic sink"
    equation: ClassVar[str] = "-lap u + c u^3 = f"

    prior: Prior = LogNormal(sigma=0.5)
    amplitude: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.amplitude < math.inf:
            raise ValueError(f"semilinear needs a positive amplitude, got {self.amplitude:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("c", "f")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("c",)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        c, f = self.prior.with_field(self.domain, shape, seed, indices).split(1, 1)
        return torch.cat([c, self.amplitude * f], 1)

    def potential(self, u: Values) -> Values:
        return u**4 / 4

    def reaction(self, u: Values) -> Values:
        return u**3

    def reaction_slope(self, u: Values) -> Values:
        return 3 * u**2

    def discrete(self, inputs: Inputs) -> DiscreteEnergy:
        self.require_channels(inputs)
        c, f = inputs[:, :1].double(), inputs[:, 1:].double()
        if not bool((c > 0).all()):
            raise ValueError(f"the coefficient c must be positive everywhere, got a minimum of {float(c.min()):g}")
        return DiscreteEnergy(self, self.domain, torch.ones_like(c), c, f, torch.zeros_like(c))

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function, Function]:
        """Smooth c, f and the exact u on a grid, for measuring the order of convergence (2)."""
        return self._manufactured(shape, weighs_gradient=False)
