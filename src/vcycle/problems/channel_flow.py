"""Incompressible flows between two plates, from an inlet to an outlet."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs
from vcycle.problems.driven_flow import DrivenFlow
from vcycle.problems.tube_matrices import tube_states
from vcycle.solvers import TubeFlow
from vcycle.spaces import Domain, Grid

INLET, PLATES = ("dirichlet", "neumann"), ("dirichlet", "dirichlet")


@dataclass(frozen=True)
class ChannelFlow(DrivenFlow):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 between two plates (Dirichlet faces of y, where u = 0), with

        u = (U(y), 0) at the inlet (the low face of x),  du/dx = dv/dx = 0 and p = 0 at the outlet (the high one).

    profile   'uniform': one speed at the inlet; 'random': a random positive profile that is 0 at the plates
    """

    driven_axis: ClassVar[int] = 1

    domain: Domain = Domain([4.0, 1.0], [INLET, PLATES])
    time: float = 1.0
    profile: Literal["uniform", "random"] = "uniform"
    reynolds: tuple[float, float] = (20.0, 200.0)

    def require_box(self) -> None:
        if self.domain.boundary != (INLET, PLATES):
            raise ValueError(
                f"{self.name} has an inlet (dirichlet) and an outlet (neumann) on its first axis and plates "
                f"(dirichlet) on its second, got {self.domain}"
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

    def solid(self, inputs: Inputs) -> Bool[Tensor, "b n m"]:
        """The cells that nothing flows into."""
        return torch.zeros_like(inputs[:, 0], dtype=torch.bool)

    def flow(self, inputs: Inputs) -> TubeFlow:
        """The equations on the grid."""
        inputs, (n, m) = inputs.double(), inputs.shape[2:]
        return TubeFlow(self.domain, (n, m), inputs[:, 0, 0], inputs[:, 1].flatten(1).mean(1))

    def march(self, inputs: Inputs, halvings: int) -> Field:
        return self.flow(inputs).march(self.interval, self.snapshots, halvings, self.given(inputs))

    def march_again(self, inputs: Inputs) -> Field:
        h, k = Grid(self.domain, tuple(inputs.shape[2:])).spacing
        out = []
        for x, solid in zip(inputs.numpy(), self.solid(inputs).numpy(), strict=True):
            given, nu = x[-3:-1] if self.history else None, float(x[1].mean())
            out.append(tube_states(x[0, 0], nu, solid, given, (h, k), self.ahead, self.accuracy))
        return torch.from_numpy(np.stack(out))
