"""Problems in time to a tolerance: how many windows a network may keep, how far off it is, and what that costs.

    python benchmarks/windows.py [--cases burgers allen_cahn implicit_heat]

A small network is trained as a step in time (a window), then applied again and again to 16 initial states that it has
not seen. `surrogate.march` judges every window and leaves to the solver what would exceed the limit. Errors are
relative L2 errors, the largest over samples and windows, to the solver at a tolerance of 1e-9. Seconds are processor
time on one thread, least of three rounds in which all take turns; the set-up of the judge is in them, training is not.
Rows:

    march            the network, judged, with the solver where it is left
    solver           the reference solver alone, at the accuracy of labels
    solver to limit  the reference solver alone, asked in every window for limit / windows
    network          the network alone, judged by nobody

Runs are kept in runs/windows. Writes benchmarks/windows.csv.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import vcycle
from machine import write_table
from timing import Timed, in_turns
from training import train_whole
from vcycle.hybrid import Marched
from vcycle.problems import AllenCahn, Burgers, ImplicitHeat, Problem
from vcycle.spaces import L2

RUNS = Path("runs") / "windows"
SAMPLES, ROUNDS = 16, 3
LIMITS = (1e-1, 3e-2, 1e-2, 1e-3)


@dataclass(frozen=True)
class Case:
    """What is generated, how a network is trained on it, and how many windows it is applied for."""

    problem: Problem
    shape: tuple[int, ...]
    windows: int
    trajectories: int
    train: dict[str, Any]


STEP = {"pairs": {"name": "one_step"}, "loss": "l2", "accelerator": "cpu", "threads": 1}
CASES = {
    "burgers": Case(
        Burgers(time=0.5, snapshots=25),
        (64,),
        25,
        160,
        {**STEP, "network": {"name": "fno", "width": 24, "modes": 20, "depth": 3}, "batch": 32, "steps": 2500},
    ),
    "allen_cahn": Case(
        AllenCahn(time=3.0, snapshots=20),
        (32, 32),
        20,
        80,
        {**STEP, "network": {"name": "fno", "width": 16, "modes": 10, "depth": 3}, "batch": 16, "steps": 1000},
    ),
    "implicit_heat": Case(
        ImplicitHeat(),
        (32, 32),
        20,
        0,
        {
            "problem": "implicit_heat",
            "resolution": 32,
            "loss": "bound",
            "network": {"name": "mgno", "width": 12, "depth": 3, "levels": 4},
            "batch": 8,
            "steps": 500,
            "accelerator": "cpu",
            "threads": 1,
        },
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row for name in given.cases for row in measure(name, CASES[name])]
    write_table("windows.csv", rows, threads=1)


def trained(name: str, case: Case) -> vcycle.surrogate.Surrogate:
    """The surrogate of a run that is made if there is none."""
    run, options = RUNS / name, dict(case.train)
    if case.trajectories and not (RUNS / f"data-{name}").exists():
        vcycle.generate(
            case.problem, case.trajectories, case.shape[0], 5, RUNS / f"data-{name}", workers=1, progress=False
        )
    if case.trajectories:
        options["data"] = str(RUNS / f"data-{name}")
    if not (run / "weights.safetensors").exists():
        train_whole(options, out=str(run))
    return vcycle.load(run)


def measure(name: str, case: Case) -> list[dict[str, object]]:
    surrogate, windows = trained(name, case), case.windows
    problem = surrogate.problem
    x = problem.sample(case.shape, 99, range(SAMPLES))

    def chain(answer: Callable[[Tensor], Tensor]) -> Tensor:
        inputs, states = x, []
        for _ in range(windows):
            states.append(answer(inputs))
            inputs = torch.cat([inputs[:, :-1], states[-1]], 1)  # what does not change, and the new state
        return torch.stack(states, 1)

    true, norm = chain(lambda y: problem.solve(y, 1e-9).value), L2(problem.domain)
    runs = {
        ("network", ""): Timed(lambda: chain(surrogate.apply)),
        ("solver", ""): Timed(lambda: surrogate.reference(x, windows)),
    }
    for limit in LIMITS:
        runs["march", f"{limit:g}"] = Timed(lambda d=limit: surrogate.march(x, windows, d))
        share = limit / windows
        runs["solver to limit", f"{limit:g}"] = Timed(lambda d=share: chain(lambda y: problem.solve(y, d).value))
    in_turns(runs.values(), ROUNDS)
    rows, base = [], runs["solver", ""].seconds
    for (method, limit), run in runs.items():
        marched = run.result if isinstance(run.result, Marched) else None
        values = run.result if marched is None else marched.values
        error = norm.relative(values.flatten(0, 1), true.flatten(0, 1)).view(SAMPLES, windows)
        row = {
            "problem": name,
            "method": method,
            "limit": limit,
            "left_to_solver": "" if marched is None else f"{float(marched.solved.double().mean()):.3f}",
            "solved_twice": "" if marched is None else marched.solves - int(marched.solved.sum()),
            "claimed_error": "" if marched is None else f"{float(marched.error.max()):.1e}",
            "kind": "" if marched is None else marched.kind,
            "verified": "" if marched is None else f"{float(marched.verified.double().mean()):.2f}",
            "first_window_error": f"{float(error[:, 0].max()):.1e}",
            "largest_error": f"{float(error.max()):.1e}",
            "seconds": f"{run.seconds:.3f}",
            "time_ratio_to_solver": f"{run.seconds / base:.2f}",
        }
        print(*row.values(), sep="\t", flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
