"""The grid that a tensor's shape stands for."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.domain import Domain

Placement = Literal["cell", "vertex"]


@dataclass(frozen=True)
class Grid:
    """Uniform points of a domain: n cell centres, or n vertices with both ends (without the right end if periodic).

    >>> Grid(Domain.unit(1), (4,)).axis(0)
    tensor([0.1250, 0.3750, 0.6250, 0.8750], dtype=torch.float64)
    >>> Grid(Domain.unit(1), (5,), "vertex").axis(0)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """

    domain: Domain
    shape: tuple[int, ...]
    placement: Placement = "cell"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        if len(self.shape) != self.domain.dimension:
            raise ValueError(f"a grid of shape {self.shape} does not fit {self.domain}: one number of points per axis")
        for axis, n in enumerate(self.shape):
            least = 2 if self.placement == "vertex" and not self.domain.periodic(axis) else 1
            if n < least:
                points = "vertices" if self.placement == "vertex" else "cells"
                raise ValueError(
                    f"a grid of shape {self.shape} is too small: axis {axis} needs {least} or more {points}"
                )

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbouring points, per axis."""
        return tuple(
            length / (n if self.placement == "cell" or self.domain.periodic(axis) else n - 1)
            for axis, (length, n) in enumerate(zip(self.domain.lengths, self.shape, strict=True))
        )

    def axis(self, axis: int) -> Float[Tensor, " n"]:
        """The coordinates of the points along one axis."""
        offset = 0.5 if self.placement == "cell" else 0.0
        points = torch.arange(self.shape[axis], dtype=torch.float64) + offset
        return self.domain.extents[axis][0] + points * self.spacing[axis]

    def mesh(self) -> tuple[Float[Tensor, "*grid"], ...]:
        """The coordinates of all points, one tensor per axis."""
        return torch.meshgrid(*(self.axis(i) for i in range(len(self.shape))), indexing="ij")

    def axis_weights(self, axis: int) -> Float[Tensor, " n"]:
        """Quadrature weights along one axis: midpoint rule on cells, trapezoidal rule on vertices."""
        weights = torch.full((self.shape[axis],), self.spacing[axis], dtype=torch.float64)
        if self.placement == "vertex" and not self.domain.periodic(axis):
            weights[[0, -1]] *= 0.5
        return weights

    def weights(self) -> Float[Tensor, "*grid"]:
        """Quadrature weights; their sum is the volume of the domain."""
        product = self.axis_weights(0)
        for axis in range(1, len(self.shape)):
            product = product[..., None] * self.axis_weights(axis)
        return product
