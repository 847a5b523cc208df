"""Flow into a tube: a boundary layer grows from its plates until the flow is Poiseuille's."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from vcycle.problems.base import Field, Inputs
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.problems.tube_matrices import tube_states
from vcycle.solvers import TubeFlow
from vcycle.spaces import Domain, GaussianField, Grid, generator

CASE_STREAM = 10
INLET, PLATES = ("dirichlet", "neumann"), ("dirichlet", "dirichlet")


@dataclass(frozen=True)
class Tube(MethodOfLines):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 between two plates (Dirichlet faces of y, where u = 0), with

        u = (U(y), 0) at the inlet (the low face of x),  du/dx = dv/dx = 0 and p = 0 at the outlet (the high one),

    from the state u = (U(y), 0) everywhere.

    profile   'uniform': one speed at the inlet; 'random': a random positive profile that is 0 at the plates
    speeds    the mean of U, or the mean that it has without its randomness, is uniform between these
    reynolds  that mean times the distance of the plates / nu is log-uniform between these

    Inputs: 'inlet', U as a function of y, and 'viscosity', nu as a constant function. Outputs u, v and p at cell
    centres, the velocities as means of those on the faces of a staggered grid, on which div u = 0 holds exactly.
    Behaviour: the flow forgets its inlet over a length of about 0.05 Re H and is then Poiseuille's,
    u = 6 U y (H - y) / H^2; as much flows through every section as comes in. Good values: Re = 20 to 200, tubes four
    times as long as wide, at 64 x 32. Second order inside; at a uniform inlet u jumps at the plates. Source: P128.
    """

    name: ClassVar[str] = "tube"
    title: ClassVar[str] = "tube flow"
    equation: ClassVar[str] = "u_t + div(u u) + grad p = nu lap u, div u = 0, u = (U(y), 0) at the inlet"

    domain: Domain = Domain([4.0, 1.0], [INLET, PLATES])
    time: float = 1.0
    profile: Literal["uniform", "random"] = "uniform"
    speeds: tuple[float, float] = (0.5, 1.5)
    reynolds: tuple[float, float] = (20.0, 200.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain.boundary != (INLET, PLATES):
            raise ValueError(
                "tube has an inlet (dirichlet) and an outlet (neumann) on its first axis and plates (dirichlet) on its "
                f"second, got {self.domain}"
            )
        for name, (low, high) in (("speeds", self.speeds), ("reynolds", self.reynolds)):
            if not 0 < low <= high < math.inf:
                raise ValueError(f"tube needs 0 < low <= high for {name}, got {low} and {high}")

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "p")

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("inlet", "viscosity")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("viscosity",)

    @property
    def order(self) -> int:
        return 3

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices, out = list(indices), []
        for index, row in zip(indices, self._profiles(shape[1], seed, indices), strict=True):
            speed, number = generator(seed, index, CASE_STREAM).random(2)
            U = self.speeds[0] + (self.speeds[1] - self.speeds[0]) * float(speed)
            low, high = self.reynolds
            nu = U * self.domain.lengths[1] / (low * (high / low) ** float(number))
            out.append(torch.stack([U * row.expand(shape), torch.full(shape, nu, dtype=torch.float64)]))
        return torch.stack(out)

    def march(self, inputs: Inputs, halvings: int) -> Field:
        inputs, (n, m) = inputs.double(), inputs.shape[2:]
        flow = TubeFlow(self.domain, (n, m), inputs[:, 0, 0], inputs[:, 1].flatten(1).mean(1))
        return flow.march(self.interval, self.snapshots, halvings)

    def march_again(self, inputs: Inputs) -> Field:
        n, m = inputs.shape[2:]
        h, k = Grid(self.domain, (n, m)).spacing
        times, out = np.array(self.times), []
        for U, nu in inputs.numpy():
            out.append(tube_states(U[0], float(nu.mean()), (n, m), (h, k), times, self.accuracy))
        return torch.from_numpy(np.stack(out))

    def _profiles(self, m: int, seed: int, indices: list[int]) -> Field:
        """U / its mean, (b, m)."""
        if self.profile == "uniform":
            return torch.ones(len(indices), m, dtype=torch.float64)
        plates = Domain(self.domain.extents[1:])
        field = GaussianField(plates)
        z = field.sample((m,), seed, indices)[:, 0] / math.sqrt(field.variance)
        s = (Grid(plates, (m,)).axis(0) - plates.extents[0][0]) / plates.lengths[0]
        return torch.exp(0.3 * z) * 6 * s * (1 - s)
