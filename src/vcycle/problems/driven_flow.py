"""Incompressible flows between walls that are driven by what happens on a part of them."""

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Inputs
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.spaces import Domain, GaussianField, Grid, generator


@dataclass(frozen=True)
class DrivenFlow(MethodOfLines):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 in the plane, with a speed U times a profile along `driven_axis`.

    speeds     U is uniform between these
    reynolds   U L / nu is log-uniform between these, L the length of the box along that axis

    Inputs: the driving velocity, constant along the other axis, and nu as a constant function; outputs u, v and p.
    """

    driven_axis: ClassVar[int]
    case_stream: ClassVar[int]

    speeds: tuple[float, float] = (0.5, 1.5)
    reynolds: tuple[float, float] = (50.0, 500.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_box()
        for name, (low, high) in (("speeds", self.speeds), ("reynolds", self.reynolds)):
            if not 0 < low <= high < math.inf:
                raise ValueError(f"{self.name} needs 0 < low <= high for {name}, got {low} and {high}")

    @abstractmethod
    def require_box(self) -> None:
        """Raises ValueError unless the faces are those of the problem."""

    @abstractmethod
    def profiles(self, n: int, seed: int, indices: list[int]) -> Float[Tensor, "b n"]:
        """What multiplies U at n cells along the driven axis."""

    @property
    def components(self) -> tuple[str, ...]:
        return ("u", "v", "p")

    @property
    def positive_names(self) -> tuple[str, ...]:
        return ("viscosity",)

    @property
    def order(self) -> int:
        return 3

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices, out, axis = list(indices), [], self.driven_axis
        view = [-1 if other == axis else 1 for other in range(2)]
        for index, row in zip(indices, self.profiles(shape[axis], seed, indices), strict=True):
            speed, number = generator(seed, index, self.case_stream).random(2)
            U = self.speeds[0] + (self.speeds[1] - self.speeds[0]) * float(speed)
            low, high = self.reynolds
            nu = U * self.domain.lengths[axis] / (low * (high / low) ** float(number))
            out.append(torch.stack([U * row.view(view).expand(shape), torch.full(shape, nu, dtype=torch.float64)]))
        return torch.stack(out)

    def random_rows(self, n: int, seed: int, indices: list[int]) -> tuple[Float[Tensor, "b n"], Float[Tensor, " n"]]:
        """A Gaussian field of variance one along the driven axis, and where its cells are, from 0 to 1."""
        line = Domain([self.domain.extents[self.driven_axis]])
        s = (Grid(line, (n,)).axis(0) - line.extents[0][0]) / line.lengths[0]
        return GaussianField(line).standard((n,), seed, indices)[:, 0], s
