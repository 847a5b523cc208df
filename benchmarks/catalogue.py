"""What do labels cost? Every problem's batched solver against the usual script: one SciPy solve per sample.

    python benchmarks/catalogue.py [--problems darcy ...] [--points 64 128]

Both solve the same discrete equations on one thread; `difference` is how well they agree (relative L2). The script is

- for stationary problems, conservation laws, acoustics and flows with walls the problem's second solver, sample by
  sample: assembled sparse matrices and SuperLU, with Newton's iteration where the equation is not linear; GMRES for
  Helmholtz, which is solved directly itself;
- for evolution solve_ivp on the same right-hand side, transforms and all, to the same tolerance: LSODA on intervals
  (stiff methods need a Jacobian, which fits there), DOP853 elsewhere.

Times are the least of three rounds taken in turns, one round where a solve takes long; freed memory stays with the
process for both, as in `vcycle generate` (spaces.kept_memory). A script that has not finished one sample after LIMIT
seconds is stopped, and its row says '>'. Rows of problems and points that were not asked for stay as they are, with
their machine and date.
"""

import argparse
import time
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

import vcycle
from machine import update_table
from timing import Timed, in_turns
from vcycle.problems import PROBLEMS, Evolution, Problem
from vcycle.spaces import kept_memory

BATCH, ROUNDS, LIMIT, LONG = 16, 3, 60.0, 5.0
LINE = 256  # points on intervals
COSTLY = {"dam": [32]}  # points, whatever was asked for, where labels take seconds


class TooSlow(Exception):
    """The script takes longer than LIMIT."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128])
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in given.problems:
        problem = PROBLEMS[name]()
        line = problem.domain.dimension == 1
        for n in [LINE] if line else COSTLY.get(name, given.points):
            rows.append(compare(problem, n))
            print(*rows[-1].values(), sep="\t", flush=True)
            update_table("catalogue.csv", rows, key=("problem", "points"), threads=1, order=place)


def place(row: dict[str, Any]) -> tuple[int, int]:
    """Where a row stands in the table."""
    return list(PROBLEMS).index(row["problem"]), int(row["points"])


@kept_memory()
def compare(problem: Problem, n: int) -> dict[str, object]:
    """One row: milliseconds per sample of both, and how much they differ."""
    inputs = problem.sample((n,) * problem.domain.dimension, 5, range(BATCH))
    ours = Timed(lambda: problem.solve(inputs).value, BATCH)
    ours.again()
    value = ours.result
    if isinstance(problem, Evolution):
        script = Timed(partial(integrate, problem, inputs[:1]), 1)
    else:
        script = Timed(partial(direct, problem, inputs, value), 2)
    try:
        for _ in range(ROUNDS):
            in_turns([script, ours], rounds=1)
            if max(script.seconds, ours.seconds) > LONG:
                break
    except TooSlow:
        script.seconds = LIMIT
    mine, theirs = ours.milliseconds, script.milliseconds
    sign = ">" if script.result is None else ""
    difference = "" if script.result is None else f"{float(agreement(problem, script.result, value).max()):.1e}"
    return {
        "problem": problem.name,
        "points": n,
        "ms_per_sample": f"{mine:.2f}",
        "script": "second solver" if script.samples == 2 else "LSODA" if problem.domain.dimension == 1 else "DOP853",
        "script_ms_per_sample": f"{sign}{theirs:.0f}",
        "ratio": f"{sign}{theirs / mine:.1f}",
        "difference": difference,
    }


def direct(problem: Problem, inputs: Tensor, value: Tensor) -> Tensor:
    """Relative differences of the second solver, two samples one after the other."""
    return torch.cat([problem.verify(inputs[i : i + 1], value[i : i + 1]) for i in range(2)])


def agreement(problem: Problem, result: Tensor, value: Tensor) -> Tensor:
    """Relative differences, which for stationary problems are the result."""
    return vcycle.spaces.L2(problem.domain).relative(result, value[:1]) if result.ndim > 1 else result


def integrate(problem: Evolution, inputs: Tensor) -> Tensor:
    """The last of the states asked for, by solve_ivp."""
    shape = tuple(inputs.shape[2:])
    equation, channels = problem.equation_on(shape), len(problem.components)
    start, deadline = inputs[:, -channels:], time.perf_counter() + LIMIT

    def rate(_: float, u: np.ndarray) -> np.ndarray:
        if time.perf_counter() > deadline:
            raise TooSlow
        return equation.rate(torch.from_numpy(u).view(start.shape)).flatten().numpy()

    method = "LSODA" if problem.domain.dimension == 1 else "DOP853"
    scale = problem.accuracy * float(start.square().mean().sqrt())
    found = solve_ivp(rate, (0, problem.time), start.flatten().numpy(), method, rtol=problem.accuracy, atol=scale)
    return torch.from_numpy(found.y[:, -1]).view(start.shape)


if __name__ == "__main__":
    main()
