"""Incompressible flows between walls that are driven by what happens on a part of them."""

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Inputs
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.solvers import Solution
from vcycle.solvers.driven_cavity import FIRST
from vcycle.solvers.halving import MOST_HALVINGS
from vcycle.spaces import Domain, GaussianField, Grid, generator


@dataclass(frozen=True)
class DrivenFlow(MethodOfLines):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 in the plane, with a speed U times a profile along `driven_axis`.

    history    states given; with 0 of them the motion begins as the problem says
    speeds     U is uniform between these
    reynolds   U L / nu is log-uniform between these, L the `size`: the length of the box along that axis, if no other

    Inputs: the driving velocity, constant along the other axis, nu as a constant function, and the states given;
    outputs u, v and p. Velocities at centres are means of those on opposite faces, which makes these known again.
    """

    driven_axis: ClassVar[int]
    case_stream: ClassVar[int]
    first: ClassVar[float] = FIRST

    speeds: tuple[float, float] = (0.5, 1.5)
    reynolds: tuple[float, float] = (50.0, 500.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_box()
        if self.history < 0:
            raise ValueError(f"{self.name} needs history >= 0, got {self.history}")
        for name, (low, high) in (("speeds", self.speeds), ("reynolds", self.reynolds)):
            if not 0 < low <= high < math.inf:
                raise ValueError(f"{self.name} needs 0 < low <= high for {name}, got {low} and {high}")

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = MOST_HALVINGS) -> Solution:
        """By viscosity: the more of it, the shorter are the steps, and samples that are solved together share them."""
        self.require_channels(inputs)
        order = inputs[:, 1].flatten(1).mean(1).argsort()
        found, place = super().solve(inputs[order], tolerance, most), order.argsort()
        return replace(
            found, value=found.value[place], residual=found.residual[place], converged=found.converged[place]
        )

    @abstractmethod
    def require_box(self) -> None:
        """Raises ValueError unless the faces are those of the problem."""

    @abstractmethod
    def profiles(self, n: int, seed: int, indices: list[int]) -> Float[Tensor, "b n"]:
        """What multiplies U at n cells along the driven axis."""

    def size(self, seed: int, index: int) -> float:
        """The length in the Reynolds number of a sample."""
        del seed, index  # where the box is the same for all
        return self.domain.lengths[self.driven_axis]

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "p")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("viscosity",)

    @property
    def order(self) -> int:
        return 3

    def given(self, inputs: Inputs) -> Float[Tensor, "b 2 n m"] | None:
        """The velocity that the motion begins with."""
        return inputs[:, -3:-1].double() if self.history else None

    @property
    def ahead(self) -> np.ndarray:
        """From the last state given, or the beginning, to the states asked for."""
        return self.interval * np.arange(1, self.snapshots + 1)

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        fixed = self.fixed(shape, seed, list(indices))
        if self.history == 0:
            return fixed
        first = replace(self, history=0, snapshots=self.history, time=self.history * self.interval).solve(fixed)
        if not bool(first.converged.all()):
            raise ValueError(f"{self.name} has no states to begin with: {first.message}")
        return torch.cat([fixed, first.value], 1)

    def fixed(self, shape: tuple[int, ...], seed: int, indices: list[int]) -> Inputs:
        """The inputs that are no states."""
        out, axis = [], self.driven_axis
        view = [-1 if other == axis else 1 for other in range(2)]
        for index, row in zip(indices, self.profiles(shape[axis], seed, indices), strict=True):
            speed, number = generator(seed, index, self.case_stream).random(2)
            U = self.speeds[0] + (self.speeds[1] - self.speeds[0]) * float(speed)
            low, high = self.reynolds
            nu = U * self.size(seed, index) / (low * (high / low) ** float(number))
            out.append(torch.stack([U * row.view(view).expand(shape), torch.full(shape, nu, dtype=torch.float64)]))
        return torch.stack(out)

    def random_rows(self, n: int, seed: int, indices: list[int]) -> tuple[Float[Tensor, "b n"], Float[Tensor, " n"]]:
        """A Gaussian field of variance one along the driven axis, and where its cells are, from 0 to 1."""
        line = Domain([self.domain.extents[self.driven_axis]])
        s = (Grid(line, (n,)).axis(0) - line.extents[0][0]) / line.lengths[0]
        return GaussianField(line).standard((n,), seed, indices)[:, 0], s
