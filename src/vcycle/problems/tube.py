"""Flow into a tube: a boundary layer grows from its plates until the flow is Poiseuille's."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs
from vcycle.problems.driven_flow import DrivenFlow
from vcycle.problems.tube_matrices import tube_states
from vcycle.solvers import TubeFlow
from vcycle.spaces import Domain, Grid

INLET, PLATES = ("dirichlet", "neumann"), ("dirichlet", "dirichlet")


@dataclass(frozen=True)
class Tube(DrivenFlow):
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
    driven_axis: ClassVar[int] = 1
    case_stream: ClassVar[int] = 10

    domain: Domain = Domain([4.0, 1.0], [INLET, PLATES])
    time: float = 1.0
    profile: Literal["uniform", "random"] = "uniform"
    reynolds: tuple[float, float] = (20.0, 200.0)

    def require_box(self) -> None:
        if self.domain.boundary != (INLET, PLATES):
            raise ValueError(
                "tube has an inlet (dirichlet) and an outlet (neumann) on its first axis and plates (dirichlet) on its "
                f"second, got {self.domain}"
            )

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("inlet", "viscosity")

    def profiles(self, n: int, seed: int, indices: list[int]) -> Float[Tensor, "b n"]:
        """U / its mean."""
        if self.profile == "uniform":
            return torch.ones(len(indices), n, dtype=torch.float64)
        z, s = self.random_rows(n, seed, indices)
        return torch.exp(0.3 * z) * 6 * s * (1 - s)

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
