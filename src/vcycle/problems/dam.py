"""Water below air, running against and over a barrier on the floor of a channel."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.barrier import Barrier
from vcycle.problems.base import Field, Inputs
from vcycle.problems.channel_flow import INLET, PLATES
from vcycle.problems.dam_matrices import Mixture, dam_states
from vcycle.problems.driven_flow import DrivenFlow
from vcycle.problems.obstructed_channel import Range, between
from vcycle.solvers import TwoFluids
from vcycle.spaces import Domain, Grid, generator

WATER_STREAM = 16
LEAST_COLUMN = 10  # lengths eps, after which the column at the inlet does not know where its front is


@dataclass(frozen=True)
class Dam(DrivenFlow):
    """rho (u_t + u . grad u) = -grad p + div(mu (grad u + grad u^T)) - rho g e_y, div u = 0,
    phi_t + div(u phi) = gamma div(eps grad phi - phi (1 - phi) n), n the unit normal along grad phi: water (phi = 1)
    below air (phi = 0) runs over a rectangle of height h on the lower of two plates, with u = 0 on all of them.

    rho = r + (1 - r) phi and mu = nu (s + (1 - s) phi), where the water has the density 1; what the right-hand side
    moves takes its momentum along. At the beginning a column of water of depth d stands behind the inlet (the low face
    of x), where u = (U(y), 0). At the outlet du/dx = dv/dx = 0, and p is the weight of the column above, 0 at the upper
    plate: water at rest stays at rest.

    drive          'inlet': water flows in at the speed U, air does not; 'break': U = 0, and the column collapses
    depths         d is uniform between these
    columns        the length of the column from the inlet is uniform between these
    heights        h is uniform between these
    widths         the width of the rectangle is uniform between these; its low side stands at `position`
    profile        'uniform': one speed U in the water; 'random': a random positive profile
    speeds         U, or the mean that it has without its randomness, is uniform between these
    reynolds       (g d)^(1/2) d / nu is log-uniform between these
    gravity        g
    air_density    r
    air_viscosity  s, a ratio of dynamic viscosities
    thickness      eps: phi = 1 / (1 + e^(x / eps)) across the surface; of the equation, not of the grid
    mobility       gamma, the speed at which the surface regains that form

    Inputs: 'inlet', U as a function of y, 'viscosity', nu as a constant function, 'solid', 1 in the cells of the
    barrier and 0 in others, and 'water', phi at the beginning; what flows in has the phi of its first column. Outputs
    u, v, p and phi ('water') at cell centres, 0 in the barrier, by projection on a staggered grid: div u = 0 holds and
    the volume of water is kept to rounding, and 0 <= phi <= 1.

    Behaviour: the water shoots up at the barrier, falls over it as a jet and runs on as a thin layer, at high speeds
    within 4 (d / g)^(1/2); air is driven by it and hardly drives it. Good values: U up to (g d)^(1/2), Re = 50 to 200,
    cells about as long as eps (64 x 32): cells longer than 3 eps widen the surface, and sheets thinner than 4 eps
    become drops. r = 0.001 is air; with r = s = 1 it is one fluid with a dye. There is no surface tension. Second order
    where the flow is smooth, about first with a barrier, at whose edges the pressure is infinite.
    Sources: P128; Chiu and Lin 2011; Mirjalili and Mani 2021.
    """

    name: ClassVar[str] = "dam"
    title: ClassVar[str] = "water over a barrier"
    equation: ClassVar[str] = (
        "rho (u_t + u . grad u) = -grad p + div(mu (grad u + grad u^T)) - rho g e_y, div u = 0, "
        "phi_t + div(u phi) = gamma div(eps grad phi - phi (1 - phi) n)"
    )
    driven_axis: ClassVar[int] = 1
    case_stream: ClassVar[int] = 15
    first: ClassVar[float] = 2.0

    domain: Domain = Domain([(-1.5, 3.0), (0.0, 1.5)], [INLET, PLATES])
    time: float = 3.0
    drive: Literal["inlet", "break"] = "inlet"
    depths: Range = (0.5, 0.8)
    columns: Range = (0.6, 1.0)
    heights: Range = (0.2, 0.4)
    widths: Range = (0.2, 0.5)
    position: float = 0.0
    profile: Literal["uniform", "random"] = "uniform"
    speeds: Range = (0.1, 0.8)
    reynolds: Range = (50.0, 200.0)
    gravity: float = 1.0
    air_density: float = 0.001
    air_viscosity: float = 0.02
    thickness: float = 0.06
    mobility: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("gravity", "air_density", "air_viscosity", "thickness", "mobility"):
            self.require_positive(name, getattr(self, name))
        for name in ("depths", "columns"):
            self.barrier.require_range(name, getattr(self, name))
        if self.air_density > 1 or self.depths[1] >= self.domain.lengths[1]:
            raise ValueError(
                f"dam has water below air: air_density at most 1 and depths below {self.domain.lengths[1]:g}, got "
                f"{self.air_density:g} and {self.depths[1]:g}"
            )
        room = self.position - self.domain.extents[0][0]
        if not (LEAST_COLUMN * self.thickness <= self.columns[0] and self.columns[1] <= room):
            raise ValueError(
                f"the columns of dam are at least {LEAST_COLUMN} thicknesses long ({LEAST_COLUMN * self.thickness:g}) "
                f"and end before the barrier ({room:g} from the inlet), got {self.columns[0]:g} to {self.columns[1]:g}"
            )

    def require_box(self) -> None:
        if self.domain.boundary != (INLET, PLATES):
            raise ValueError(
                f"dam has an inlet (dirichlet) and an outlet (neumann) on its first axis and plates (dirichlet) on its "
                f"second, got {self.domain}"
            )

    @cached_property
    def barrier(self) -> Barrier:
        """The channel with its obstacle, for one fluid."""
        return Barrier(self.domain, heights=self.heights, widths=self.widths, position=self.position)

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("inlet", "viscosity", "solid", "water")

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "p", "water")

    @property
    def order(self) -> int:
        """2, because limiters have corners; where these do not matter it is 3."""
        return 2

    def size(self, seed: int, index: int) -> float:
        return self.column(seed, index)[0]

    def column(self, seed: int, index: int) -> tuple[float, float]:
        """Its depth, and where its front is."""
        deep, far = generator(seed, index, WATER_STREAM).random(2)
        return between(self.depths, float(deep)), self.domain.extents[0][0] + between(self.columns, float(far))

    def profiles(self, n: int, seed: int, indices: list[int]) -> Float[Tensor, "b n"]:
        """U / its mean in the water; air does not flow in."""
        y = Grid(self.domain, (1, n)).axis(1) - self.domain.extents[1][0]
        depths = torch.tensor([self.size(seed, index) for index in indices], dtype=torch.float64)
        wet = torch.sigmoid((depths[:, None] - y) / self.thickness)
        if self.drive == "break":
            return torch.zeros_like(wet)
        return wet if self.profile == "uniform" else wet * torch.exp(0.3 * self.random_rows(n, seed, indices)[0])

    def fixed(self, shape: tuple[int, ...], seed: int, indices: list[int]) -> Inputs:
        x, y = Grid(self.domain, shape).mesh()
        solid = self.barrier.fixed(shape, seed, indices)[:, 2:]
        driven, water = super().fixed(shape, seed, indices)[:, :1], []
        nu = torch.empty_like(driven)
        for row, index in enumerate(indices):
            depth, front = self.column(seed, index)
            low, high = self.reynolds
            share = float(generator(seed, index, self.case_stream).random(2)[1])
            nu[row] = math.sqrt(self.gravity * depth) * depth / (low * (high / low) ** share)
            above = y - self.domain.extents[1][0] - depth
            water.append(torch.sigmoid(-above / self.thickness) * torch.sigmoid((front - x) / self.thickness))
        return torch.cat([driven, nu, solid, (1 - solid) * torch.stack(water)[:, None]], 1)

    def fluids(self, inputs: Inputs) -> TwoFluids:
        """The equations on the grid."""
        inputs = inputs.double()
        shape, nu = (inputs.shape[2], inputs.shape[3]), inputs[:, 1].flatten(1).mean(1)
        mixture = (self.gravity, self.air_density, self.air_viscosity, self.thickness, self.mobility)
        return TwoFluids(self.domain, shape, inputs[:, 0, 0], inputs[:, 3, 0], nu, inputs[:, 2] > 0.5, *mixture)

    def march(self, inputs: Inputs, halvings: int) -> Field:
        """On the processor, where every stage of a step factors a banded matrix."""
        here = inputs.to("cpu").double()
        fluids = self.fluids(here)
        first = fluids.go_on(here[:, -4:-2], here[:, -1]) if self.history else fluids.begin(here[:, 3])
        return fluids.march(first, self.interval, self.snapshots, halvings).to(inputs.device)

    def march_again(self, inputs: Inputs) -> Field:
        h, k = Grid(self.domain, tuple(inputs.shape[2:])).spacing
        mixture = Mixture(self.gravity, self.air_density, self.air_viscosity, self.thickness, self.mobility)
        out = []
        for x in inputs.numpy():
            given = x[[-4, -3, -1]] if self.history else None
            out.append(dam_states(x[:4], given, mixture, (h, k), self.ahead, self.accuracy))
        return torch.from_numpy(np.stack(out))
