"""Flow in a cavity below a lid that slides: the first test of every code for incompressible flow."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from vcycle.operators.staggered import to_faces
from vcycle.problems.base import Field, Inputs
from vcycle.problems.cavity_matrices import cavity_states
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.solvers import DrivenCavity
from vcycle.spaces import Domain, GaussianField, Grid, generator

CASE_STREAM = 9


@dataclass(frozen=True)
class Cavity(MethodOfLines):
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

    time: float = 1.0
    lid: Literal["uniform", "random"] = "uniform"
    speeds: tuple[float, float] = (0.5, 1.5)
    reynolds: tuple[float, float] = (50.0, 500.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain.dimension != 2 or any(face != "dirichlet" for faces in self.domain.boundary for face in faces):
            raise ValueError(f"cavity needs walls (dirichlet) on all sides in two dimensions, got {self.domain}")
        for name, (low, high) in (("speeds", self.speeds), ("reynolds", self.reynolds)):
            if not 0 < low <= high < math.inf:
                raise ValueError(f"cavity needs 0 < low <= high for {name}, got {low} and {high}")

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "p")

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("lid", "viscosity")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("viscosity",)

    @property
    def order(self) -> int:
        return 3

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices, out = list(indices), []
        profile = self._profile(shape[0], seed, indices)
        for index, row in zip(indices, profile, strict=True):
            speed, number = generator(seed, index, CASE_STREAM).random(2)
            U = self.speeds[0] + (self.speeds[1] - self.speeds[0]) * float(speed)
            low, high = self.reynolds
            nu = U * self.domain.lengths[0] / (low * (high / low) ** float(number))
            out.append(torch.stack([U * row[:, None].expand(shape), torch.full(shape, nu, dtype=torch.float64)]))
        return torch.stack(out)

    def march(self, inputs: Inputs, halvings: int) -> Field:
        inputs = inputs.double()
        nu, lid = inputs[:, 1].flatten(1).mean(1), to_faces(inputs[:, :1])[0][..., -1]
        cavity = DrivenCavity(self.domain, tuple(inputs.shape[2:]), lid, nu)
        return cavity.march(self.interval, self.snapshots, halvings)

    def march_again(self, inputs: Inputs) -> Field:
        shape, out = tuple(inputs.shape[2:]), []
        times = np.array(self.times)
        for lid, nu in inputs.numpy():
            roof = (lid[1:, -1] + lid[:-1, -1]) / 2
            grid = Grid(self.domain, shape).spacing
            out.append(
                cavity_states(roof, float(nu.mean()), (shape[0], shape[1]), (grid[0], grid[1]), times, self.accuracy)
            )
        return torch.from_numpy(np.stack(out))

    def _profile(self, n: int, seed: int, indices: list[int]) -> Field:
        """U / speed along the lid, (b, n)."""
        if self.lid == "uniform":
            return torch.ones(len(indices), n, dtype=torch.float64)
        wall = Domain(self.domain.extents[:1])
        field = GaussianField(wall)
        z = field.sample((n,), seed, indices)[:, 0] / math.sqrt(field.variance)
        s = (Grid(wall, (n,)).axis(0) - wall.extents[0][0]) / wall.lengths[0]
        return (1 + 0.5 * z) * 16 * s**2 * (1 - s) ** 2
