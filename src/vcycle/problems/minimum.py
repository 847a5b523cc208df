"""What training without labels asks of a discrete problem: a step towards its solution, or a convex energy."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import LinearOperator, Multigrid
from vcycle.problems.base import Field, Inputs, PerSample, Problem
from vcycle.spaces import root

Cycle = Callable[[Float[Tensor, "b c *grid"]], Float[Tensor, "b c *grid"]]


class Steps(ABC):
    """An iteration u <- u + correction(u) to the discrete solution, for cell values in double precision."""

    @abstractmethod
    def correction(self, u: Field) -> Field:
        """What the step adds: the error of u, about; differentiable."""

    @property
    @abstractmethod
    def near(self) -> Field:
        """Cell values near the solution."""


class Energy(Steps):
    """A convex function E of cell values, one number per sample, whose minimum is the discrete solution."""

    @abstractmethod
    def value(self, u: Field) -> PerSample:
        """E(u), differentiable."""

    @abstractmethod
    def gradient(self, u: Field) -> Field:
        """E'(u), differentiable too."""

    @abstractmethod
    def cycle(self, careful: bool = False) -> Cycle:
        """B, one V-cycle for E'' near the minimum u, symmetric: B r is about E''(u)^-1 r, `careful` at any contrast."""

    @property
    @abstractmethod
    def curvature(self) -> LinearOperator:
        """E'' near the minimum."""

    @property
    @abstractmethod
    def cycles(self) -> int:
        """V-cycles to a correction."""

    def correction(self, u: Field) -> Field:
        """The solution z of E'' z = -E'(u), about: what so many V-cycles make of 0, one after the other."""
        B, r = self.cycle(careful=True), -self.gradient(u)
        z = B(r)
        for _ in range(self.cycles - 1):
            z = z + B(r - self.curvature(z))
        return z

    @abstractmethod
    def size(self) -> PerSample:
        """The energy distance between 0 and the minimum, about."""

    def distance(self, v: Field, u: Field) -> PerSample:
        """(2 (E(v) - E(u)))^(1/2) for the minimum u, to 1e-8 of its size.

        E'(u), which rounding leaves, is taken off, so that only what is of second order in v - u remains.
        """
        first = (self.gradient(u) * (v - u)).flatten(1).sum(1)
        return root(2 * (self.value(v) - self.value(u) - first))


@dataclass(frozen=True)
class Quadratic(Energy):
    """E(u) = (u, A u) / 2 - (load, u) of a linear problem A u = load, A symmetric and positive."""

    A: LinearOperator
    load: Field

    @property
    def curvature(self) -> LinearOperator:
        return self.A

    def value(self, u: Field) -> PerSample:
        return ((u * self.A(u)) / 2 - self.load * u).flatten(1).sum(1)

    def gradient(self, u: Field) -> Field:
        return self.A(u) - self.load

    @cached_property
    def near(self) -> Field:
        """The correction of 0."""
        return self.correction(torch.zeros_like(self.load))

    def size(self) -> PerSample:
        """(load, B load)^(1/2), with A^-1 in the place of B the energy norm of the solution."""
        return (self.load * self.cycle()(self.load)).flatten(1).sum(1).sqrt()

    def distance(self, v: Field, u: Field) -> PerSample:
        """The energy norm of v - u, (v - u, A (v - u))^(1/2)."""
        return root(((v - u) * self.A(v - u)).flatten(1).sum(1))


@dataclass(frozen=True)
class Iterated(Problem):
    """Problems with an iteration to their discrete solution."""

    @abstractmethod
    def discrete(self, inputs: Inputs) -> Steps:
        """The iteration with the data of the inputs."""


@dataclass(frozen=True)
class Minimum(Iterated):
    """Problems whose discrete solution is the minimum of an energy."""

    @abstractmethod
    def discrete(self, inputs: Inputs) -> Energy:
        """E with the data of the inputs."""


def in_double(cycle: Multigrid) -> Cycle:
    """A V-cycle that takes and returns double precision, whatever it computes in."""
    precision = next(cycle.buffers()).dtype
    return lambda r: cycle(r.to(precision)).to(r)
