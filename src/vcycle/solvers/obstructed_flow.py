"""Incompressible flow around an obstacle in a tube: cells of the staggered grid that nothing flows into."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vcycle.solvers.tube_flow import TubeFlow, joined

CUTOFF = 1e-10  # singular values below it, relative to the largest, are those of forces that cancel


@dataclass(frozen=True)
class ObstructedFlow(TubeFlow):
    """u_t = P(-div(u u) + nu lap u), u = 0 on the faces of solid cells; inlet, outlet and plates as in a tube.

    P r = r - grad p has no divergence and is 0 on those faces. With the projection P_0 of the empty tube it is
    P_0 (r + f), f the forces on the faces between solid and fluid that make it 0 there: P costs one fast transform,
    and a small matrix that is inverted once. Walls lie on faces, so that velocities along them are reflected half a
    cell away.

    solid      which cells are solid, (b, n, m); none in the first and in the last column, and no fluid is enclosed
    """

    solid: Bool[Tensor, "b n m"]

    def __post_init__(self) -> None:
        if bool(self.solid[:, [0, -1]].any()):
            raise ValueError("an obstacle reaches the inlet or the outlet: move it, take a longer box or more points")

    @cached_property
    def open(self) -> Float[Tensor, "b _"]:
        """1 on faces between fluid cells, 0 on others."""
        s = self.solid.double()
        u = 1 - torch.cat([torch.maximum(s[:, 1:], s[:, :-1]), s[:, -1:]], 1)
        return joined(u, 1 - torch.maximum(s[:, :, 1:], s[:, :, :-1]))

    @cached_property
    def surface(self) -> tuple[Int[Tensor, "b k"], Float[Tensor, "b k"]]:
        """The faces between solid and fluid, and 1; padded by faces with 0 where other samples have more."""
        s = self.solid.int()
        u = torch.cat([s.diff(dim=1), torch.zeros_like(s[:, :1])], 1)
        rows = [row.nonzero().flatten() for row in joined(u.double(), s.diff(dim=2).double())]
        ones = [self.inlet.new_ones(len(row)) for row in rows]
        return pad_sequence(rows, batch_first=True), pad_sequence(ones, batch_first=True)

    @cached_property
    def along_walls(self) -> Float[Tensor, "b _"]:
        """What reflections add to -lap u: 1 / k^2 for every neighbour beyond a wall, on open faces."""
        h, k = self.spacing
        u, v = self.parts(1 - self.open)
        still = torch.zeros_like(u[:, :, :1]), torch.zeros_like(v[:, :1])
        beside = torch.cat([u[:, :, 1:], still[0]], 2) + torch.cat([still[0], u[:, :, :-1]], 2)
        around = torch.cat([v[:, 1:], still[1]], 1) + torch.cat([still[1], v[:, :-1]], 1)
        return self.open * joined(beside / k**2, around / h**2)

    @cached_property
    def response(self) -> tuple[Float[Tensor, "b k n m"], Float[Tensor, "b k k"]]:
        """The pressures that unit forces on the surface make in the empty tube, and what inverts their effect there."""
        pressures, inverses = [], []
        for faces, real in zip(*self.surface, strict=True):
            units = real.new_zeros(len(faces), self.open.shape[1])
            units[torch.arange(len(faces), device=faces.device), faces] = real
            flow, p = super().projected(units, self.inlet.new_zeros(len(faces), self.shape[1]))
            pressures.append(p[:, 0])
            inverses.append(torch.linalg.pinv((real * flow[:, faces]).mT, rtol=CUTOFF))
        return torch.stack(pressures), torch.stack(inverses)

    def start(self) -> Float[Tensor, "b _"]:
        """The inlet's profile, led around the obstacle by a potential."""
        return self.projected(super().start(), self.inlet)[0]

    def momentum(self, state: Float[Tensor, "b _"]) -> Float[Tensor, "b _"]:
        return super().momentum(state) - self.viscosity[:, None] * self.along_walls * state

    def projected(
        self, field: Float[Tensor, "b _"], inlet: Float[Tensor, "b m"]
    ) -> tuple[Float[Tensor, "b _"], Float[Tensor, "b 1 n m"]]:
        """field - grad p without divergence and 0 on the obstacle, and p, 0 in it; `inlet` flows in."""
        flow, p = super().projected(self.open * field, inlet)
        pressures, inverse = self.response
        force = -(inverse @ flow.gather(1, self.surface[0])[..., None])  # (b, k, 1)
        more = (force.mT @ pressures.flatten(2)).view_as(p)
        return self.open * (flow - self.gradient(more)), ~self.solid[:, None] * (p + more)

    @property
    def fastest(self) -> float:
        """As much flows through the narrowest section as comes in."""
        narrow = self.solid.double().mean(2).max()
        return super().fastest / (1 - float(narrow))
