"""Sound in a room from a source that moves."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.room_matrices import hear
from vcycle.problems.time_dependent import TimeDependent
from vcycle.solvers import Room, Solution
from vcycle.spaces import L2, Domain, Grid, finite, generator

PATH_STREAM = 8
CONTROLS = ("start", "bend", "end")
ROUNDING = 1e-9  # of a few thousand steps in double precision, generously


@dataclass(frozen=True)
class Acoustics(TimeDependent):
    """p_t + c^2 div u = c^2 s, u_t + grad p = 0: the sound pressure p of a moving source in a room, from silence.

    The source is a Gaussian that hums and starts softly,

        s(x, t) = exp(-|x - X(t)|^2 / (2 width^2)) sin(2 pi f t) r(t),  r = sin^2(pi f t / 2) up to t = 1 / f, then 1.

    The path X is a curve (1 - t/T)^2 start + 2 t/T (1 - t/T) bend + (t/T)^2 end with its three points random in the
    middle nine tenths of the box: the inputs are their coordinates, as constant functions. The source runs through it
    once in the time T.

    speed       c
    frequency   f; the shortest waves have the length (c - v) / f for a source that comes with the speed v
    width       of the source
    reflection  R of walls (Neumann faces), from -1 to 1: 1 are rigid; their impedance is Z = (1 + R) / (1 - R), that of
                the air at R = 0, so that waves which meet them head on are taken up
    Dirichlet faces are open windows (p = 0), which reflect with the opposite sign.

    Behaviour: waves spread with the speed c and come back from the walls; before the source they are shorter than
    behind it (Doppler). p is not linear in the inputs. Good values: c = 1, f = 4, T = 1 in the unit square at 64 x 64:
    16 cells per wave. The grid makes waves late by at most (omega h / c)^2 / 24 of their way, least along diagonals.
    A label is the solution of the leapfrog scheme on the grid (solvers.leapfrog), second order in space and time; its
    residual is its distance from the same scheme run once more, the second solver is made of sparse matrices.
    """

    name: ClassVar[str] = "acoustics"
    title: ClassVar[str] = "room acoustics"
    equation: ClassVar[str] = "p_t + c^2 div u = c^2 s, u_t + grad p = 0, p = Z c u_n at walls"

    domain: Domain = Domain.unit(2, "neumann")
    speed: float = 1.0
    frequency: float = 4.0
    width: float = 0.05
    reflection: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("speed", "frequency", "width"):
            self.require_positive(name, getattr(self, name))
        if self.history:
            raise ValueError(
                f"{self.name} begins in silence: the pressure alone does not say what follows, give history=0"
            )
        if not -1 <= self.reflection <= 1:
            raise ValueError(f"walls reflect between -1 and 1 of a wave, got reflection={self.reflection}")

    @property
    def components(self) -> tuple[str, ...]:
        return ("p",)

    @property
    def fixed_names(self) -> tuple[str, ...]:
        return tuple(f"{point}_{axis}" for point in CONTROLS for axis in "xyz"[: self.domain.dimension])

    def stepping(self, history: int, snapshots: int) -> None:
        """None: what follows depends on velocities too, which are no output."""
        del history, snapshots

    @property
    def impedance(self) -> float:
        """Z, in units of that of the air."""
        return math.inf if self.reflection == 1 else (1 + self.reflection) / (1 - self.reflection)

    @property
    def tolerance(self) -> float:
        return ROUNDING

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        d, out = self.domain.dimension, []
        low = torch.tensor([low for low, _ in self.domain.extents], dtype=torch.float64)
        length = torch.tensor(self.domain.lengths, dtype=torch.float64)
        for index in indices:
            share = torch.from_numpy(generator(seed, index, PATH_STREAM).random((len(CONTROLS), d)))
            out.append((low + length * (0.05 + 0.9 * share)).flatten())
        return torch.stack(out).view(len(out), -1, *(1,) * d).expand(-1, -1, *shape).contiguous()

    def solve(self, inputs: Inputs, tolerance: float | None = None, most: int = 200) -> Solution:
        """No iteration: the scheme runs through, and the residual is that of rounding."""
        del most
        self.require_channels(inputs)
        room = self.room(tuple(inputs.shape[2:]))
        value = room.listen(self.source(inputs.double()), self.interval, self.snapshots)
        good = finite(value)
        residual = torch.where(good, torch.finfo(torch.float64).eps, torch.inf).double()
        limit = self.tolerance if tolerance is None else tolerance
        return Solution(value, residual, room.steps(self.interval), residual <= limit, "ran through without iteration")

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """The relative L2 distance of u from the result of the scheme, run once more."""
        return L2(self.domain).relative(u.double(), self.solve(inputs).value)

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        """The second solver is one of SciPy: on the processor."""
        self.require_channels(inputs)
        shape = tuple(inputs.shape[2:])
        steps = self.room(shape).steps(self.interval)
        heard = []
        for sample in inputs.to("cpu").double().split(1):
            source = self.source(sample)
            heard.append(
                hear(
                    lambda t, source=source: source(t).flatten().numpy(),
                    shape,
                    self.domain.lengths,
                    self.domain.boundary,
                    self.speed,
                    self.impedance,
                    self.interval / steps,
                    steps,
                    self.snapshots,
                )
            )
        return L2(self.domain).relative(u.double(), torch.from_numpy(np.stack(heard)).to(u.device))

    def room(self, shape: tuple[int, ...]) -> Room:
        """The scheme on a grid."""
        return Room(self.domain, shape, self.speed, self.impedance)

    def source(self, inputs: Inputs) -> Callable[[float], Field]:
        """t to s(., t) on the grid of the inputs."""
        grid, d = Grid(self.domain, tuple(inputs.shape[2:])), self.domain.dimension
        mesh = [x.to(inputs.device) for x in grid.mesh()]

        def at(t: float) -> Field:
            share = t / self.time
            weights = ((1 - share) ** 2, 2 * share * (1 - share), share**2)
            square = torch.zeros_like(inputs[:, 0])
            for axis, x in enumerate(mesh):
                place = sum(weight * inputs[:, i * d + axis] for i, weight in enumerate(weights))
                away = x - place
                if self.domain.periodic(axis):
                    away = away - self.domain.lengths[axis] * (away / self.domain.lengths[axis]).round()
                square = square + away**2
            ramp = math.sin(math.pi / 2 * min(1.0, self.frequency * t)) ** 2
            tone = ramp * math.sin(2 * math.pi * self.frequency * t)
            return tone * torch.exp(-square / (2 * self.width**2))[:, None]

        return at
