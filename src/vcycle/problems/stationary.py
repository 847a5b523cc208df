"""Problems in which time plays no part: any start is improved until the residual says that it is the solution."""

from abc import abstractmethod
from dataclasses import dataclass

from vcycle.problems.base import Field, Inputs, Problem
from vcycle.solvers import Solution


@dataclass(frozen=True)
class Stationary(Problem):
    """Problems whose solver begins with whatever is given as `start`, a network's output for instance."""

    @abstractmethod
    def solve(
        self, inputs: Inputs, tolerance: float | None = None, most: int = 200, start: Field | None = None
    ) -> Solution:
        """The discrete solutions to this relative residual (`self.tolerance` if None), in at most `most` iterations.

        `start` (b, c, *grid) may be anything: where it is not finite, or worse than no start in energy (in the residual
        where there is none), it is not used; linear problems begin with its best multiple. A start that meets the
        tolerance is returned after no iteration; direct solvers have no other use for it.
        """
