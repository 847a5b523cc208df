"""Evolution in time, u_t = L u + N(u), on periodic boxes: the state now to the state later."""

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch

from vcycle.problems.base import Field, Inputs, PerSample, Problem
from vcycle.solvers import ETDRK4, FourierGrid, IntegratingFactorRK4, Scheme, Semilinear, Solution, evolve
from vcycle.solvers.evolve import MOST_HALVINGS
from vcycle.spaces import L2, Domain, GaussianField


@dataclass(frozen=True)
class Evolution(Problem):
    """u_t = L u + N(u) on a periodic box; L has constant coefficients, N may be any nonlinear term.

    time        from the last state given to the last state asked for
    history     states given, `time` / `snapshots` apart; the first is the initial state
    snapshots   states asked for, equally far apart
    alpha, tau, amplitude   smoothness, inverse length and size of the Gaussian field behind the initial state
    accuracy    relative error in time that is asked of labels

    Solved by Fourier modes in space (products by the 2/3 rule) and ETDRK4 in time; the step is halved until the
    estimated error is below `accuracy` (solvers.evolve). The second solver is integrating-factor RK4.
    """

    state: ClassVar[str] = "u"
    domain: Domain = Domain.unit(1, "periodic")
    time: float = 1.0
    history: int = 1
    snapshots: int = 1
    alpha: float = 2.0
    tau: float = 5.0
    amplitude: float = 1.0
    accuracy: float = 1e-6

    def __post_init__(self) -> None:
        if not all(self.domain.periodic(axis) for axis in range(self.domain.dimension)):
            raise ValueError(f"{self.name} is solved by Fourier modes, got {self.domain}: use boundary='periodic'")
        for name, value in (("time", self.time), ("accuracy", self.accuracy)):
            self.require_positive(name, value)
        if min(self.history, self.snapshots) < 1:
            raise ValueError(
                f"{self.name} maps at least 1 state to at least 1, got history={self.history}, "
                f"snapshots={self.snapshots}"
            )

    @abstractmethod
    def evolution(self, grid: FourierGrid) -> Semilinear:
        """L and N on a grid."""

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        """The initial states."""
        return self.amplitude * self.noise(shape, seed, indices)

    def noise(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        """Gaussian fields of mean zero and variance one."""
        field = GaussianField(self.domain, self.alpha, self.tau)
        return field.sample(shape, seed, indices) / math.sqrt(field.variance)

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(f"{self.state}_{i}" for i in range(self.history))

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(f"{self.state}_{self.history + i}" for i in range(self.snapshots))

    @property
    def interval(self) -> float:
        """The time between neighbouring states."""
        return self.time / self.snapshots

    @property
    def tolerance(self) -> float:
        return self.accuracy

    @property
    def agreement(self) -> float:
        return 10 * self.accuracy

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        first = self.initial(shape, seed, indices)
        if self.history == 1:
            return first
        later = evolve(self._on(shape), first, self.interval, self.history - 1, tolerance=self.accuracy)
        return torch.cat([first, later.value], 1)

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = MOST_HALVINGS) -> Solution:
        """The residual is the estimated relative error in time; the step is halved at most `most` times."""
        return self._evolved(inputs, self.accuracy if tolerance is None else tolerance, most, ETDRK4)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """The relative L2 distance of u from the states computed anew, plus the estimate of their error in time."""
        solution = self._evolved(inputs, self.accuracy, MOST_HALVINGS, ETDRK4)
        return L2(self.domain).relative(u.to(solution.value), solution.value) + solution.residual

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        """Integrating-factor RK4 with its own steps."""
        solution = self._evolved(inputs, self.accuracy, MOST_HALVINGS, IntegratingFactorRK4)
        return L2(self.domain).relative(u.to(solution.value), solution.value)

    def require_one_dimension(self) -> None:
        """Raises ValueError on any but an interval."""
        if self.domain.dimension != 1:
            raise ValueError(f"{self.name} is an equation in one dimension, got {self.domain}: give one extent")

    def require_positive(self, name: str, value: float) -> None:
        """Raises ValueError for a parameter without which the equation is not well-posed."""
        if not 0 < value < math.inf:
            raise ValueError(f"{self.name} needs a positive {name}, got {value}")

    def _evolved(self, inputs: Inputs, tolerance: float, most: int, scheme: type[Scheme]) -> Solution:
        self.require_channels(inputs)
        equation, last = self._on(tuple(inputs.shape[2:])), inputs[:, -1:]
        return evolve(equation, last, self.interval, self.snapshots, tolerance=tolerance, most=most, scheme=scheme)

    def _on(self, shape: tuple[int, ...]) -> Semilinear:
        return self.evolution(FourierGrid(self.domain, shape))
