"""`vcycle solve`: solutions to a verified tolerance, the network proposing, the problem's solver disposing."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vcycle.hybrid import Corrected
from vcycle.jobs.arrays import read_array, write_array
from vcycle.jobs.own_process import own_process
from vcycle.jobs.requirements import require_positive
from vcycle.spaces import Accelerator, chosen
from vcycle.surrogate import load


@dataclass(frozen=True)
class Solved:
    """The solution with and without the network's proposal, the seconds each took, and what to tell the user."""

    solution: Corrected
    seconds: float
    without: Corrected
    seconds_without: float
    file: Path | None

    def __str__(self) -> str:
        lines = [
            self.solution.message,
            f"with the network:    {self.solution.iterations:3d} iterations, {self.seconds:.3f} s, prediction included",
            f"without the network: {self.without.iterations:3d} iterations, {self.seconds_without:.3f} s",
        ]
        return "\n".join(lines if self.file is None else [*lines, f"written to {self.file}"])

    @property
    def verified(self) -> bool:
        """Whether every sample's error bound, or residual where no bound is known, is below the tolerance."""
        return bool(self.solution.verified.all())


@own_process()
def solve(
    run: str | Path,
    input: str | Path | np.ndarray,
    tolerance: float = 1e-8,
    output: str | Path | None = None,
    accelerator: Accelerator = "auto",
) -> Solved:
    """Solve the run's problem for the inputs to a relative energy error of at most `tolerance`, verified by the bound,
    or to a relative residual where no bound is known.

    Solves twice, from the network's output and from zero, so that the saving is measured and not claimed.
    Raises ValueError for a tolerance that is not above 0.
    """
    require_positive("tolerance", tolerance)
    surrogate, inputs = load(run).to(chosen(accelerator)), read_array(input)
    surrogate.solve(inputs, max(tolerance, 0.1))  # the first call fills caches and would be charged for it
    began = time.perf_counter()
    solution = surrogate.solve(inputs, tolerance)
    middle = time.perf_counter()
    without = surrogate.solve(inputs, tolerance, propose=False)
    ended = time.perf_counter()
    file = None if output is None else write_array(output, solution.value.numpy())
    return Solved(solution, middle - began, without, ended - middle, file)
