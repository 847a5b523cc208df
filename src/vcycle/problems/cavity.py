"""Flow in a cavity below a lid that slides: the first test of every code for incompressible flow."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.staggered import to_faces
from vcycle.problems.base import Field, Inputs
from vcycle.problems.cavity_matrices import cavity_states
from vcycle.problems.driven_flow import DrivenFlow
from vcycle.solvers import DrivenCavity
from vcycle.spaces import Grid


@dataclass(frozen=True)
class Cavity(DrivenFlow):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 in a box with walls, from rest: the high wall of the last axis
    slides along the first with the speed U, all others stand still.

    lid        'uniform': one speed along the lid, which jumps to 0 at its edges; 'random': a random profile that falls
               to 0 there, with that speed as its mean before it falls
    speeds     U is uniform between these
    reynolds   U L / nu is log-uniform between these, L the length of the lid

    Inputs: 'lid', U as a function of x, and 'viscosity', nu as a constant function. Outputs u, v and p (of mean zero)
    at cell centres, from velocities on the faces of a staggered grid, at whose centres stand the means of opposite
    faces: div u = 0 holds exactly in every cell inside.

    Behaviour: a vortex below the lid spreads into the box and comes to rest after about 15 L / U at Reynolds number
    100; below it stand two small ones in the corners. At the ends of a uniform lid the pressure is infinite, and
    only there the grid does not converge. Good values: Reynolds numbers of 50 to 1000 at 64 x 64; at n cells along
    the lid more than about n^2 / 4 is under-resolved. Projection by fast transforms, central differences of second
    order, the third-order Runge-Kutta scheme in time. Sources: Ghia et al., J. Comput. Phys. 48, 1982; P128.
    """

    name: ClassVar[str] = "cavity"
    title: ClassVar[str] = "cavity flow"
    equation: ClassVar[str] = "u_t + div(u u) + grad p = nu lap u, div u = 0"
    driven_axis: ClassVar[int] = 0
    case_stream: ClassVar[int] = 9

    time: float = 1.0
    lid: Literal["uniform", "random"] = "uniform"

    def require_box(self) -> None:
        if self.domain.dimension != 2 or any(face != "dirichlet" for faces in self.domain.boundary for face in faces):
            raise ValueError(f"cavity needs walls (dirichlet) on all sides in two dimensions, got {self.domain}")

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("lid", "viscosity")

    def profiles(self, n: int, seed: int, indices: list[int]) -> Float[Tensor, "b n"]:
        """U / speed along the lid."""
        if self.lid == "uniform":
            return torch.ones(len(indices), n, dtype=torch.float64)
        z, s = self.random_rows(n, seed, indices)
        return (1 + 0.5 * z) * 16 * s**2 * (1 - s) ** 2

    def march(self, inputs: Inputs, halvings: int) -> Field:
        inputs = inputs.double()
        nu, lid = inputs[:, 1].flatten(1).mean(1), to_faces(inputs[:, :1])[0][..., -1]
        cavity = DrivenCavity(self.domain, tuple(inputs.shape[2:]), lid, nu)
        return cavity.march(self.interval, self.snapshots, halvings, self.given(inputs))

    def march_again(self, inputs: Inputs) -> Field:
        shape, out = tuple(inputs.shape[2:]), []
        h, k = Grid(self.domain, (shape[0], shape[1])).spacing
        for x in inputs.numpy():
            lid, given = x[0], x[-3:-1] if self.history else np.zeros((2, *shape))
            roof = (lid[1:, -1] + lid[:-1, -1]) / 2
            out.append(cavity_states(roof, float(x[1].mean()), given, (h, k), self.ahead, self.accuracy))
        return torch.from_numpy(np.stack(out))
