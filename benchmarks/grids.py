"""What the grid costs: every problem's labels beside those of the same samples on half as many points per axis.

python benchmarks/grids.py [--problems darcy ...] writes grids.csv. `order` is the power of the spacing by which the
difference fell from half of these points: 2 of a smooth solution and a second-order method, less where coefficients or
solutions jump, more where inputs have waves that the coarser grid lacks. No time is measured.
"""

import argparse
import math
import statistics

import torch

from machine import update_table
from vcycle.data.coarser import grid_differences
from vcycle.problems import PROBLEMS, Problem

POINTS = {1: (128, 256), 2: (32, 64), 3: (16, 32)}
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--samples", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.problems:
        problem, before = PROBLEMS[name](), None
        for n in POINTS[problem.domain.dimension]:
            found = differences(problem, n, given.samples)
            mean = statistics.fmean(found)
            row = {
                "problem": name,
                "points": n,
                "samples": len(found),
                "mean": f"{mean:.1e}",
                "worst": f"{max(found):.1e}",
                "order": "" if before is None else f"{math.log2(before / mean):.1f}",
            }
            print(*row.values(), sep="\t", flush=True)
            update_table("grids.csv", [row], key=("problem", "points"), threads=1, order=place)
            before = mean


def differences(problem: Problem, n: int, samples: int) -> list[float]:
    inputs = problem.sample((n,) * problem.domain.dimension, SEED, range(samples))
    return [*grid_differences(problem, SEED, range(samples), problem.solve(inputs).value).values()]


def place(row: dict[str, str]) -> tuple[int, int]:
    return list(PROBLEMS).index(row["problem"]), int(row["points"])


if __name__ == "__main__":
    main()
