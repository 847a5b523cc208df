"""The method of lines: equations discretised in space, then solved in time to an accuracy."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.time_dependent import TimeDependent
from vcycle.solvers import Solution, halve_steps
from vcycle.solvers.halving import MOST_HALVINGS
from vcycle.spaces import L2


@dataclass(frozen=True)
class MethodOfLines(TimeDependent):
    """A label is the solution, exact in time to the relative error `accuracy`, of the equations on the grid.

    The step is halved until the estimated error is below it (solvers.halving). The error of the discretisation in space
    is no part of that; a finer grid shows it.
    """

    first: ClassVar[float] = 2.0  # ratio of the steps of `march` without a halving to those with one

    accuracy: float = 5e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("accuracy", self.accuracy)

    @property
    @abstractmethod
    def order(self) -> int:
        """Of the scheme in time."""

    @abstractmethod
    def march(self, inputs: Inputs, halvings: int) -> Field:
        """The states asked for, with steps that were halved so often; NaN where there are none."""

    @abstractmethod
    def march_again(self, inputs: Inputs) -> Field:
        """The same by an independent solver, of NumPy: on the processor."""

    @property
    def tolerance(self) -> float:
        return self.accuracy

    @property
    def agreement(self) -> float:
        return 10 * self.accuracy

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = MOST_HALVINGS) -> Solution:
        """The residual is the estimated relative error in time; the step is halved at most `most` times."""
        self.require_channels(inputs)
        accuracy = self.accuracy if tolerance is None else tolerance
        return halve_steps(self.march, inputs, self.order, accuracy, most, self.first)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """The relative L2 distance of u from the states computed anew, plus the estimate of their error in time."""
        solution = self.solve(inputs)
        return L2(self.domain).relative(u.to(solution.value), solution.value) + solution.residual

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        self.require_channels(inputs)
        value = self.march_again(inputs.to("cpu").double()).to(u.device)
        return L2(self.domain).relative(u.to(value), value)
