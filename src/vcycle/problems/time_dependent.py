"""Problems in time on grids: states at instants, from states given or from rest."""

import math
from abc import abstractmethod
from dataclasses import dataclass, replace

from vcycle.problems.base import Problem


@dataclass(frozen=True)
class TimeDependent(Problem):
    """States u_0, u_1, ... at instants `time` / `snapshots` apart.

    `history` of them are given. Where none is the motion begins as the problem says, from rest for instance, and u_0 is
    the state after the first interval.
    """

    time: float = 1.0
    history: int = 0
    snapshots: int = 1

    def __post_init__(self) -> None:
        self.require_positive("time", self.time)
        if self.snapshots < 1:
            raise ValueError(f"{self.name} maps to at least 1 state, got snapshots={self.snapshots}")

    @property
    @abstractmethod
    def components(self) -> tuple[str, ...]:
        """The functions that a state consists of."""

    @property
    def fixed_names(self) -> tuple[str, ...]:
        """The inputs that are no states."""
        return ()

    @property
    def input_names(self) -> tuple[str, ...]:
        states = (f"{name}_{i}" for i in range(self.history) for name in self.components)
        return (*self.fixed_names, *states)

    @property
    def output_names(self) -> tuple[str, ...]:
        first, last = self.history, self.history + self.snapshots
        return tuple(f"{name}_{i}" for i in range(first, last) for name in self.components)

    @property
    def interval(self) -> float:
        """The time between neighbouring states."""
        return self.time / self.snapshots

    @property
    def times(self) -> tuple[float, ...]:
        first = 0 if self.history else 1
        return tuple((first + i) * self.interval for i in range(self.history + self.snapshots))

    def stepping(self, history: int, snapshots: int) -> "TimeDependent | None":
        return replace(self, history=history, snapshots=snapshots, time=snapshots * self.interval)

    def require_positive(self, name: str, value: float) -> None:
        """Raises ValueError for a parameter that makes no sense otherwise."""
        if not 0 < value < math.inf:
            raise ValueError(f"{self.name} needs a positive {name}, got {value}")
