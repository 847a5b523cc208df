"""What every problem can do: sample its inputs, solve them, and check the answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from vcycle.problems.priors import Prior
from vcycle.solvers import Solution
from vcycle.spaces import Domain

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
MORE_ITERATIONS = 1000


@dataclass(frozen=True)
class Problem(ABC):
    """A PDE with a distribution of its inputs, a reference solver and two ways to verify its answers.

    Problems are frozen dataclasses; `to_dict` and `problems.build` turn them into plain data and back.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    equation: ClassVar[str]
    domain: Domain = Domain.unit(2)

    @property
    @abstractmethod
    def input_names(self) -> tuple[str, ...]:
        """The channels of the inputs, in order."""

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """The channels of the solution, in order."""

    @property
    def positive_names(self) -> tuple[str, ...]:
        """Inputs that are positive and act by their ratios: a network had better see their logarithms."""
        return ()

    @property
    def times(self) -> tuple[float, ...]:
        """The instants of the states u_0, u_1, ... among the channels; () where time plays no part."""
        return ()

    def stepping(self, history: int, snapshots: int) -> "Problem | None":
        """The same equation from `history` states to `snapshots` later ones as far apart, or None if there is none."""
        return None

    @property
    def tolerance(self) -> float:
        """The relative residual that is asked of labels; ten times as much is refused."""
        return 1e-10

    @property
    def agreement(self) -> float:
        """The relative L2 difference up to which a second solver agrees."""
        return 1e-6

    @abstractmethod
    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        """The inputs with these indices of the stream `seed`, float64; the same functions at every resolution."""

    @abstractmethod
    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        """The discrete solutions to this relative residual (`self.tolerance` if None), in at most `most` iterations."""

    def solve_safely(self, inputs: Inputs) -> Solution:
        """A slower, more careful solve of inputs on which `solve` failed; override it where there is a better one."""
        return self.solve(inputs, self.tolerance, MORE_ITERATIONS)

    @abstractmethod
    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """Relative residual of u in the discrete equations."""

    @abstractmethod
    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        """Relative L2 difference of u from an independent second solver."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, `name` first."""
        out = {"name": self.name, "dimension": self.domain.dimension, **self.domain.to_dict()}
        for field in fields(self):
            if field.name != "domain":
                value = getattr(self, field.name)
                plain = list(value) if isinstance(value, tuple) else value
                out[field.name] = value.to_dict() if isinstance(value, Prior) else plain
        return out

    def require_channels(self, inputs: Inputs) -> None:
        """Raises ValueError unless the inputs have this problem's axes and channels."""
        expected = len(self.input_names)
        if inputs.ndim != self.domain.dimension + 2 or inputs.shape[1] != expected:
            raise ValueError(
                f"{self.name} on {self.domain} takes inputs of shape (batch, {expected}, *grid) with channels "
                f"{', '.join(self.input_names)}, got {tuple(inputs.shape)}"
            )
