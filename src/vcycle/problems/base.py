"""What every problem can do: sample its inputs, solve them, and check the answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from vcycle.solvers import Solution
from vcycle.spaces import Domain, Norm

Inputs = Float[Tensor, "b i *grid"]
Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class Problem(ABC):
    """A PDE with a distribution of its inputs, a reference solver and two ways to verify its answers.

    Problems are frozen dataclasses; `to_dict` and `problems.build` turn them into plain data and back.
    """

    name: ClassVar[str]
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

    @abstractmethod
    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        """The inputs with these indices of the stream `seed`, float64; the same functions at every resolution."""

    @abstractmethod
    def solve(self, inputs: Inputs, tolerance: float = 1e-10, most: int = 200) -> Solution:
        """The discrete solutions, to the given relative residual."""

    @abstractmethod
    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """Relative residual of u in the discrete equations."""

    @abstractmethod
    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        """Relative L2 difference of u from an independent second solver."""

    @abstractmethod
    def energy_norm(self, inputs: Inputs) -> Norm:
        """The norm that belongs to the equation with these inputs."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data, `name` first."""
