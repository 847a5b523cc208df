"""Evolution in time, u_t = L u + N(u), on periodic boxes: the state now to the state later."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.time_dependent import TimeDependent
from vcycle.solvers import FourierGrid, IntegratingFactorRK4, Scheme, Semilinear, Solution, evolve
from vcycle.solvers.evolve import MOST_HALVINGS
from vcycle.spaces import CPU, L2, Basis, Domain, GaussianField


@dataclass(frozen=True)
class Evolution(TimeDependent):
    """u_t = L u + N(u) on a periodic box; L has constant coefficients, N may be any nonlinear term.

    time        from the last state given to the last state asked for
    history     states given, `time` / `snapshots` apart
    snapshots   states asked for, equally far apart
    alpha, tau, amplitude   smoothness, inverse length and size of the Gaussian field behind the initial state
    accuracy    relative error in time that is asked of labels
    warmup      from the initial state to the first state given: chaotic flows forget how they were started
    refinement  states are computed on so many times as many points per axis, and cut to the modes of the grid. The map
                then is that of the equation, not of its discretisation, also where the grid is too coarse for it

    Solved by Fourier modes in space (products by the 2/3 rule) and ETDRK4 in time; the step is halved until the
    estimated error is below `accuracy` (solvers.evolve). The second solver is integrating-factor RK4.
    """

    second_scheme: ClassVar[type[Scheme]] = IntegratingFactorRK4

    domain: Domain = Domain.unit(1, "periodic")
    time: float = 1.0
    history: int = 1
    snapshots: int = 1
    alpha: float = 2.0
    tau: float = 5.0
    amplitude: float = 1.0
    accuracy: float = 1e-6
    warmup: float = 0.0
    refinement: int = 1

    def __post_init__(self) -> None:
        self.require_boundary()
        if min(self.history, self.snapshots) < 1:
            raise ValueError(
                f"{self.name} maps at least 1 state to at least 1, got history={self.history}, "
                f"snapshots={self.snapshots}"
            )
        super().__post_init__()
        self.require_positive("accuracy", self.accuracy)
        if self.warmup < 0 or self.refinement < 1:
            raise ValueError(
                f"{self.name} needs warmup >= 0 and refinement >= 1, got warmup={self.warmup}, "
                f"refinement={self.refinement}"
            )

    @property
    def components(self) -> tuple[str, ...]:
        """The functions that a state consists of."""
        return ("u",)

    @abstractmethod
    def evolution(self, grid: FourierGrid) -> Semilinear:
        """L and N on a grid."""

    def equation_on(self, shape: tuple[int, ...], device: torch.device = CPU) -> Semilinear:
        """The equation on a grid of this shape, for states on the device."""
        return self.evolution(FourierGrid(self.domain, shape, device))

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        """The initial states."""
        return self.amplitude * self.noise(shape, seed, indices)

    def noise(self, shape: tuple[int, ...], seed: int, indices: Iterable[int], stream: int = 0) -> Field:
        """Gaussian fields of mean zero and variance one."""
        return self.gaussian().standard(shape, seed, indices, stream=stream)

    def gaussian(self) -> GaussianField:
        """The distribution of `noise` but for its size."""
        return GaussianField(self.domain, self.alpha, self.tau)

    @property
    def tolerance(self) -> float:
        return self.accuracy

    @property
    def agreement(self) -> float:
        return 10 * self.accuracy

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        state = self.initial(tuple(self.refinement * n for n in shape), seed, indices)
        if self.warmup > 0:
            state = self._on_the_way(state, self.warmup, 1)
        if self.history > 1:
            state = torch.cat([state, self._on_the_way(state, self.interval, self.history - 1)], 1)
        return state if self.refinement == 1 else resample(state, self.domain, shape)

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = MOST_HALVINGS) -> Solution:
        """The residual is the estimated relative error in time; the step is halved at most `most` times."""
        accuracy = self.accuracy if tolerance is None else tolerance
        return self._refined(
            inputs, lambda state: self.advance(state, self.interval, self.snapshots, tolerance=accuracy, most=most)
        )

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """The relative L2 distance of u from the states computed anew, plus the estimate of their error in time."""
        solution = self.solve(inputs)
        return L2(self.domain).relative(u.to(solution.value), solution.value) + solution.residual

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        """The second scheme with its own steps."""
        value = self._refined(inputs, self.advance_again).value
        return L2(self.domain).relative(u.to(value), value)

    def advance(
        self,
        state: Field,
        interval: float,
        snapshots: int,
        *,
        tolerance: float | None = None,
        most: int = MOST_HALVINGS,
    ) -> Solution:
        """The states after `interval`, 2 `interval`, ... from any state, one after the other in the channels."""
        tolerance = self.accuracy if tolerance is None else tolerance
        equation = self.equation_on(tuple(state.shape[2:]), state.device)
        return evolve(equation, state, interval, snapshots, tolerance=tolerance, most=most)

    def advance_again(self, state: Field) -> Solution:
        """The states asked for, by the second solver."""
        equation, scheme = self.equation_on(tuple(state.shape[2:]), state.device), self.second_scheme
        return evolve(equation, state, self.interval, self.snapshots, tolerance=self.accuracy, scheme=scheme)

    def require_boundary(self) -> None:
        """Raises ValueError for boundary conditions that the solver does not know."""
        if not self.domain.torus:
            raise ValueError(f"{self.name} is solved by Fourier modes, got {self.domain}: use boundary='periodic'")

    def require_one_dimension(self) -> None:
        """Raises ValueError on any but an interval."""
        if self.domain.dimension != 1:
            raise ValueError(f"{self.name} is an equation in one dimension, got {self.domain}: give one extent")

    def _on_the_way(self, state: Field, interval: float, snapshots: int) -> Float[Tensor, "b s *grid"]:
        solution = self.advance(state, interval, snapshots)
        if not bool(solution.converged.all()):
            raise ValueError(f"{self.name} has no states to begin with: {solution.message}")
        return solution.value

    def _refined(self, inputs: Inputs, solver: Callable[[Field], Solution]) -> Solution:
        """The solver applied to the last state, on the refined grid."""
        self.require_channels(inputs)
        state, shape = inputs[:, -len(self.components) :].double(), tuple(inputs.shape[2:])
        if self.refinement == 1:
            return solver(state)
        solution = solver(resample(state, self.domain, tuple(self.refinement * n for n in shape)))
        return replace(solution, value=resample(solution.value, self.domain, shape))


def resample(u: Field, domain: Domain, shape: tuple[int, ...]) -> Float[Tensor, "b c *other"]:
    """The modes of u that both grids carry, on cells of another grid."""
    counts = tuple(min(n, m) for n, m in zip(u.shape[2:], shape, strict=True))
    return Basis(domain).synthesise(Basis(domain, modes=counts).analyse(u), shape)
