"""Incompressible flows in a channel with an obstacle: a mask of cells is among the inputs."""

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.problems.base import Inputs
from vcycle.problems.channel_flow import ChannelFlow
from vcycle.solvers import ObstructedFlow
from vcycle.spaces import Grid

Range = tuple[float, float]


@dataclass(frozen=True)
class ObstructedChannel(ChannelFlow):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 around an obstacle on whose surface u = 0, between two plates.

    The third input, 'solid', is 1 in the cells whose centre lies in the obstacle and 0 in others; the obstacle of the
    grid consists of those cells. The first state is the inlet's profile, led around it by a potential.
    """

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return ("inlet", "viscosity", "solid")

    @abstractmethod
    def obstacle(self, points: Float[Tensor, "*grid 2"], seed: int, index: int) -> Bool[Tensor, "*grid"]:
        """Where the obstacle of a sample is."""

    def fixed(self, shape: tuple[int, ...], seed: int, indices: list[int]) -> Inputs:
        grid = Grid(self.domain, shape)
        points = torch.stack(torch.meshgrid(grid.axis(0), grid.axis(1), indexing="ij"), -1)
        solid = torch.stack([self.obstacle(points, seed, index) for index in indices])
        return torch.cat([super().fixed(shape, seed, indices), solid[:, None].double()], 1)

    def solid(self, inputs: Inputs) -> Bool[Tensor, "b n m"]:
        return inputs[:, 2] > 0.5

    def flow(self, inputs: Inputs) -> ObstructedFlow:
        flow = super().flow(inputs)
        return ObstructedFlow(flow.domain, flow.shape, flow.inlet, flow.viscosity, self.solid(inputs))

    def require_range(self, name: str, values: Range) -> None:
        """Raises ValueError unless these are 0 < low <= high."""
        if not 0 < values[0] <= values[1] < math.inf:
            raise ValueError(f"{self.name} needs 0 < low <= high for {name}, got {values[0]} and {values[1]}")

    def require_room(self, axis: int, low: float, high: float) -> None:
        """Raises ValueError unless what lies between low and high along an axis lies in the box."""
        first, last = self.domain.extents[axis]
        if not (first < low and high < last):
            raise ValueError(
                f"the obstacle of {self.name} reaches from {low:g} to {high:g} along axis {axis}, the box from "
                f"{first:g} to {last:g}: take a smaller obstacle or a larger box"
            )


def between(values: Range, share: float) -> float:
    """The number a share of the way from the first to the second."""
    return values[0] + (values[1] - values[0]) * share
