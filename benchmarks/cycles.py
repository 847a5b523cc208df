"""Which V-cycle for which coefficient? Averages of conductances against the interpolation that the matrix prescribes.

    python benchmarks/cycles.py [--sizes 64 128 256] [--contrasts 4 10 100 1e4 1e6 1e8] [--cube 32]

Darcy flow with two materials, solved to a relative residual of 1e-8 by conjugate gradients, on one thread: the least
of three rounds in which both cycles take turns, the set-up included and apart. `single` is the precision of the cycle:
averages go over to double precision at contrast 1e3, as `classical_cycle` does. Writes benchmarks/cycles.csv.
"""

import argparse
import math
import time

import torch

from machine import write_table
from vcycle.operators import FiniteVolume, Multigrid, black_box_multigrid, geometric_multigrid, of_samples
from vcycle.operators.classical_cycle import SINGLE_PRECISION
from vcycle.problems import Darcy, TwoPhase
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain

TOLERANCE, ROUNDS, BATCH, MOST_CELLS = 1e-8, 3, 16, 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--contrasts", nargs="+", type=float, default=[4.0, 10.0, 100.0, 1e4, 1e6, 1e8])
    parser.add_argument("--cube", nargs="*", type=int, default=[32])
    given = parser.parse_args()
    torch.set_num_threads(1)
    grids = [(n, n) for n in given.sizes] + [(n, n, n) for n in given.cube]
    table = [row for shape in grids for contrast in given.contrasts for row in compare(shape, contrast)]
    write_table("cycles.csv", table, threads=1)


def compare(shape: tuple[int, ...], contrast: float) -> list[dict[str, object]]:
    problem = Darcy(Domain.unit(len(shape)), TwoPhase(1.0, contrast))
    batch = max(1, min(BATCH, MOST_CELLS // math.prod(shape)))
    a, f = problem.fields(problem.sample(shape, 3, range(batch)))
    A, load = FiniteVolume.assemble(a.double(), problem.domain), f.double() / math.prod(shape)
    least: dict[str, tuple[float, float, int]] = {}
    for _ in range(ROUNDS):
        for name in ("averages", "black box"):
            began = time.perf_counter()
            cycle = built(name, A, contrast)
            ready = time.perf_counter()
            solution = conjugate_gradients(
                A, load, cycle, weight=1 / A.diagonal, tolerance=TOLERANCE, most=500, select=of_samples
            )
            done = time.perf_counter()
            if not bool(solution.converged.all()):
                raise RuntimeError(f"{name} at contrast {contrast:g} on {shape}: {solution.message}")
            least[name] = min(least.get(name, (math.inf, 0.0, 0)), (done - began, ready - began, solution.iterations))
    rows = []
    for name, (whole, setup, iterations) in least.items():
        rows.append(
            {
                "dimension": len(shape),
                "points": shape[0],
                "contrast": f"{contrast:g}",
                "cycle": name,
                "precision": "single" if name == "black box" or contrast <= SINGLE_PRECISION else "double",
                "iterations": iterations,
                "setup_ms": f"{1e3 * setup / batch:.2f}",
                "ms_per_sample": f"{1e3 * whole / batch:.2f}",
                "over_averages": f"{least['averages'][0] / whole:.2f}",
                "batch": batch,
            }
        )
        print(*rows[-1].values(), sep="\t", flush=True)
    return rows


def built(name: str, A: FiniteVolume, contrast: float) -> Multigrid:
    if name == "black box":
        return black_box_multigrid(A, dtype=torch.float32)
    return geometric_multigrid(A.to_dtype(torch.float32) if contrast <= SINGLE_PRECISION else A)


if __name__ == "__main__":
    main()
