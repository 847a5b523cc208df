"""How sharp is the bound? Effectivity (bound / true error) by contrast and tightening, and what it costs.

    python benchmarks/bound.py [--points 64] [--samples 64]

Discrete form, against the discrete solution, for a smooth perturbation of 5 %, noise of 5 %, and zero.
Writes benchmarks/bound.csv.
"""

import argparse
import time

import torch

from machine import write_table
from vcycle.hybrid import energy_bound
from vcycle.problems import Darcy, TwoPhase
from vcycle.spaces import GaussianField


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--samples", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    n, rows = given.points, []
    for contrast in (4.0, 100.0, 1e4, 1e6):
        problem = Darcy(prior=TwoPhase(1.0, contrast))
        a = problem.sample((n, n), 23, range(given.samples))
        u = problem.solve(a).value
        wave = GaussianField(problem.domain).sample((n, n), 29, range(given.samples))
        approximations = {
            "smooth 5 %": u * (1 + 0.05 * wave / wave.std()),
            "noise 5 %": u * (1 + 0.05 * torch.randn_like(u)),
            "zero": torch.zeros_like(u),
        }
        for name, v in approximations.items():
            true = problem.energy_norm(a)(v - u)
            for tighten in (0, 1, 2, 4):
                began = time.perf_counter()
                ratio = energy_bound(v, a, tighten=tighten).value / true
                ms = (time.perf_counter() - began) / len(a) * 1e3
                rows.append(
                    {
                        "contrast": f"{contrast:g}",
                        "approximation": name,
                        "cycles": tighten,
                        "least": f"{float(ratio.min()):.6f}",
                        "median": f"{float(ratio.median()):.4f}",
                        "largest": f"{float(ratio.max()):.4f}",
                        "ms_per_sample": f"{ms:.2f}",
                    }
                )
                print(*rows[-1].values(), sep="\t", flush=True)
    write_table("bound.csv", rows, threads=1)


if __name__ == "__main__":
    main()
