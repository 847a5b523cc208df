"""What does the guaranteed bound cost? A batch predicted alone and with its bound, in turns.

    python benchmarks/predict.py [--points 64 128 256 512] [--batch 16] [--cycles 0 1]

Darcy flow, contrast 4; MgNO as it comes and FNO with 12 modes, untrained: time does not depend on the weights.
Freed memory stays with the process, as in `vcycle predict`. Sizes that are not asked for keep their rows in
benchmarks/predict.csv.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch

from machine import update_table
from timing import Timed, in_turns
from vcycle.networks import build
from vcycle.problems import Darcy
from vcycle.spaces import kept_memory, suit_vectors
from vcycle.surrogate import Surrogate

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--cycles", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    suit_vectors()
    for n in given.points:
        rows = [row for name in ("mgno", "fno") for row in measured(name, n, given.batch, given.cycles)]
        update_table("predict.csv", rows, key=("points",), threads=given.threads, order=lambda row: int(row["points"]))


@kept_memory()
def measured(name: str, n: int, batch: int, cycles: list[int]) -> list[dict[str, object]]:
    """The rows of one network at one resolution."""
    problem = Darcy()
    a = problem.sample((n, n), 0, range(batch))
    options = {"name": name, "resolution": n} if name == "mgno" else {"name": name}
    network = build(options, 1, 1, problem.domain).eval()
    surrogate = Surrogate(network, problem.domain, ("a",), ("u",), problem=problem)
    works: dict[str, Callable[[], object]] = {"alone": partial(surrogate.apply, a)}
    works |= {f"bound, {c} cycles": partial(surrogate.predict, a, tighten=c) for c in cycles}
    runs = {what: Timed(work, batch) for what, work in works.items()}
    in_turns(runs.values(), ROUNDS)
    rows = []
    for what, run in runs.items():
        ms, ratio = f"{run.milliseconds:.2f}", f"{run.seconds / runs['alone'].seconds:.2f}"
        rows.append({"network": name, "points": n, "what": what, "ms_per_sample": ms, "over_alone": ratio})
        print(*rows[-1].values(), sep="\t", flush=True)
    return rows


if __name__ == "__main__":
    main()
