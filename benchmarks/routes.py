"""Are labels needed? The same network and steps from the equation alone and from 512 labelled samples.

    python benchmarks/routes.py [--labels 512] [--steps 1200] [--threads 2]

Darcy flow, 12 and 3, 64 x 64. Both are tested on the same 128 samples that neither has seen; the bound is the discrete
form without tightening. Writes benchmarks/routes.csv.
"""

import argparse
import time
from pathlib import Path

import torch

import vcycle
from machine import write_table
from training import train_whole
from vcycle.spaces import H1, L2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=512)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    problem, runs, n = vcycle.problems.Darcy(), Path("runs"), given.labels
    test = vcycle.generate(problem, 128, 64, 1, runs / "routes_test", splits={"test": 1.0}).split("test")
    labelled = runs / f"routes_{n}"
    vcycle.generate(problem, n + 64, 64, 2, labelled, splits={"train": n, "validation": 64})
    routes = {
        "equation alone, bound": {"problem": "darcy", "resolution": 64, "loss": "bound"},
        f"{n} labels, energy norm": {"data": str(labelled), "loss": "energy"},
    }
    rows = []
    for name, route in routes.items():
        began, run = time.monotonic(), runs / f"routes_{route['loss']}"
        train_whole(route, steps=given.steps, threads=given.threads, out=str(run))
        minutes = (time.monotonic() - began) / 60
        pairs = test.read(range(len(test)))
        prediction = vcycle.load(run).predict(pairs.inputs)
        energy, domain = problem.energy_norm(pairs.inputs), problem.domain
        ratio = prediction.bound / energy(prediction.value - pairs.outputs)
        errors = {
            "l2": L2(domain).relative(prediction.value, pairs.outputs),
            "h1": H1(domain).relative(prediction.value, pairs.outputs),
            "energy": energy.relative(prediction.value, pairs.outputs),
        }
        rows.append(
            {
                "route": name,
                "steps": given.steps,
                **{f"mean_{norm}": f"{float(error.mean()):.4f}" for norm, error in errors.items()},
                "effectivity_least": f"{float(ratio.min()):.4f}",
                "effectivity_median": f"{float(ratio.median()):.4f}",
                "effectivity_largest": f"{float(ratio.max()):.4f}",
                "minutes": f"{minutes:.1f}",
            }
        )
        print(rows[-1], flush=True)
    write_table("routes.csv", rows, threads=given.threads)


if __name__ == "__main__":
    main()
