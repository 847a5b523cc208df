"""`vcycle solve --steps`: problems in time to a tolerance, the network proposing, the solver taking the rest."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vcycle.hybrid import Marched
from vcycle.jobs.arrays import read_array, write_array
from vcycle.jobs.own_process import own_process
from vcycle.jobs.requirements import require_count, require_positive
from vcycle.spaces import L2, Accelerator, chosen
from vcycle.surrogate import load


@dataclass(frozen=True)
class MarchedRun:
    """The trajectory, what the reference solver alone makes of it, the seconds each took, and what to tell the user.

    difference   the largest relative L2 distance of a state from the reference solver's
    """

    solution: Marched
    seconds: float
    seconds_alone: float
    difference: float
    file: Path | None

    def __str__(self) -> str:
        lines = [
            self.solution.message,
            f"with the network: {self.seconds:.3f} s, judging and solving included",
            f"the reference solver alone: {self.seconds_alone:.3f} s; largest distance from it {self.difference:.1e}",
        ]
        return "\n".join(lines if self.file is None else [*lines, f"written to {self.file}"])

    @property
    def verified(self) -> bool:
        """Whether every state of every sample is within the tolerance."""
        return bool(self.solution.verified.all())


@own_process()
def march(
    run: str | Path,
    input: str | Path | np.ndarray,
    steps: int,
    tolerance: float = 1e-2,
    output: str | Path | None = None,
    accelerator: Accelerator = "auto",
) -> MarchedRun:
    """Apply the run's network `steps` times, leaving to the solver what would make a relative L2 error of more than
    `tolerance`; `output` gets the states, (batch, instants, channels, *grid).

    Computed once more by the solver alone, so that saving and error are measured and not claimed.
    Raises ValueError for less than one step and a tolerance that is not above 0.
    """
    require_count("steps", steps)
    require_positive("tolerance", tolerance)
    surrogate, inputs = load(run).to(chosen(accelerator)), read_array(input)
    surrogate.march(inputs, 1, tolerance)  # the first call fills caches and would be charged for it
    began = time.perf_counter()
    solution = surrogate.march(inputs, steps, tolerance)
    middle = time.perf_counter()
    alone = surrogate.reference(inputs, steps)
    ended = time.perf_counter()
    norm = L2(surrogate.domain, surrogate.placement)
    states = alone.flatten(1, 2).unflatten(1, solution.values.shape[1:3])
    difference = float(norm.relative(solution.values.flatten(0, 1), states.flatten(0, 1)).max())
    file = None if output is None else write_array(output, solution.values.numpy())
    return MarchedRun(solution, middle - began, ended - middle, difference, file)
