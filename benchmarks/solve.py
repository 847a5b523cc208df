"""What does an answer to 1e-8 cost? The batched solver against PyAMG and SuperLU, and what a proposal saves.

    python benchmarks/solve.py [--sizes 64 128 256 512] [--contrasts 4 1e6] [--stationary 64]

Wall time on one thread, least of three rounds (one from 256 on), in which all take turns on the same Darcy systems;
set-up is included for all. `vcycle` iterates to a relative residual of 1e-8 as PyAMG does (Ruge-Stueben and smoothed
aggregation, as preconditioners of conjugate gradients); `vcycle verified` goes on until the guaranteed bound of the
relative energy error is below 1e-8. SuperLU orders by minimum degree on A + A^T, its best for these matrices. PyAMG and
SuperLU solve the first samples of the batch only. Freed memory stays with the process for all (spaces.kept_memory).

The second part is the same solver with and without a proposal: the solution plus a smooth random field of 5 % or 1 % of
its L2 norm, which stands in for a network's output. Neither training nor applying a network is in these times.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pyamg
import scipy.sparse as sp
import torch
from torch import Tensor

from machine import update_table
from timing import Timed, in_turns
from vcycle.hybrid import solve_to_tolerance
from vcycle.problems import (
    AnisotropicDarcy,
    Darcy,
    Elasticity,
    MinimalSurface,
    PLaplacian,
    SemilinearElliptic,
    Stationary,
    Stokes,
    TwoPhase,
)
from vcycle.problems.assembled import assemble
from vcycle.solvers import solve_direct
from vcycle.spaces import L2, GaussianField, kept_memory

TOLERANCE, BATCH, RIVALS, ERRORS = 1e-8, 16, 4, (0.05, 0.01)
ROUNDS, LARGE = 3, 256  # one round from LARGE points on
KEY = ("problem", "contrast", "points", "solver", "proposal")
STATIONARY = (AnisotropicDarcy(), Elasticity(), Stokes(), PLaplacian(), MinimalSurface(), SemilinearElliptic())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--contrasts", type=float, nargs="+", default=[4.0, 1e6])
    parser.add_argument("--stationary", type=int, nargs="*", default=[64], help="sizes for the other problems")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for contrast in given.contrasts:
        for n in given.sizes:
            rows += darcy(Darcy(prior=TwoPhase(3.0, 3.0 * contrast)), n, f"{contrast:g}")
    for n in given.stationary:
        for problem in STATIONARY:
            rows += stationary(problem, n)
    update_table("solve.csv", rows, key=KEY, threads=1, order=place)


def place(row: dict[str, Any]) -> tuple[bool, float, int]:
    """Of a row in the table: Darcy flow first, by contrast and size; the others as they are."""
    flow = row["problem"] == "darcy"
    return not flow, float(row["contrast"] or 0), int(row["points"]) if flow else 0


@kept_memory()
def darcy(problem: Darcy, n: int, contrast: str) -> list[dict[str, object]]:
    a = problem.sample((n, n), 17, range(BATCH))
    matrices = [sp.csr_matrix(assemble(coefficient.numpy(), problem.domain)) for coefficient in a[:RIVALS, 0]]
    f = np.full(n * n, 1 / n**2)
    u = problem.solve(a, 1e-12).value

    def residual() -> tuple[Tensor, int]:
        solution = problem.solve(a, TOLERANCE)
        return solution.value, solution.iterations

    def verified(proposal: Tensor | None) -> tuple[Tensor, int]:
        corrected = solve_to_tolerance(proposal, a, tolerance=TOLERANCE)
        assert bool(corrected.verified.all()), corrected.message
        return corrected.value, corrected.iterations

    runs = {
        ("vcycle", "none"): Timed(residual, BATCH),
        ("PyAMG Ruge-Stueben + CG", "none"): Timed(lambda: amg(pyamg.ruge_stuben_solver, matrices, f), RIVALS),
        ("PyAMG aggregation + CG", "none"): Timed(lambda: amg(pyamg.smoothed_aggregation_solver, matrices, f), RIVALS),
        ("SuperLU", "none"): Timed(lambda: direct(matrices, f), RIVALS),
        ("vcycle verified", "none"): Timed(lambda: verified(None), BATCH),
    }
    for share in ERRORS:
        proposal = wrong(u, problem, share)
        runs["vcycle verified", f"{share:.0%} wrong"] = Timed(lambda v=proposal: verified(v), BATCH)
    return table(problem, n, contrast, runs, u)


@kept_memory()
def stationary(problem: Stationary, n: int) -> list[dict[str, object]]:
    x = problem.sample((n, n), 17, range(BATCH))
    u = problem.solve(x).value

    def solve(proposal: Tensor | None) -> tuple[Tensor, int]:
        solution = problem.solve(x, TOLERANCE, start=proposal)
        assert bool(solution.converged.all()), solution.message
        return solution.value, solution.iterations

    runs = {("vcycle", "none"): Timed(lambda: solve(None), BATCH)}
    for share in ERRORS:
        proposal = wrong(u, problem, share)
        runs["vcycle", f"{share:.0%} wrong"] = Timed(lambda v=proposal: solve(v), BATCH)
    return table(problem, n, "", runs, u)


def wrong(u: Tensor, problem: Darcy | Stationary, share: float) -> Tensor:
    """u plus a smooth random field of `share` of its L2 norm, component by component."""
    streams = range(1, 1 + u.shape[1])
    field = GaussianField(problem.domain, alpha=3.0)
    shape = tuple(u.shape[2:])
    noise = torch.cat([field.standard(shape, 5, range(len(u)), stream=s) for s in streams], 1)
    size = [t.square().mean((2, 3), keepdim=True).sqrt() for t in (u, noise)]
    return u + share * size[0] / size[1] * noise


def amg(
    hierarchy: Callable[[sp.csr_matrix], pyamg.MultilevelSolver], matrices: list[sp.csr_matrix], f: np.ndarray
) -> tuple[Tensor, int]:
    """A hierarchy set up for every matrix, as preconditioner of conjugate gradients."""
    out, most = [], 0
    for matrix in matrices:
        residuals: list[float] = []
        out.append(hierarchy(matrix).solve(f, tol=TOLERANCE, accel="cg", residuals=residuals))
        most = max(most, len(residuals) - 1)
    return torch.from_numpy(np.stack(out)), most


def direct(matrices: list[sp.csr_matrix], f: np.ndarray) -> tuple[Tensor, int]:
    return torch.from_numpy(np.stack([solve_direct(sp.csc_array(matrix), f) for matrix in matrices])), 1


def table(
    problem: Darcy | Stationary, n: int, contrast: str, runs: dict[tuple[str, str], Timed], u: Tensor
) -> list[dict[str, object]]:
    in_turns(runs.values(), ROUNDS if n < LARGE else 1)
    rows = []
    for (solver, proposal), run in runs.items():
        # A proposal is compared with the same solver without it, other solvers with the first.
        base = runs[solver, "none"] if proposal != "none" else runs["vcycle", "none"]
        value, iterations = run.result
        value = value.view(run.samples, *u.shape[1:])
        rows.append(
            {
                "problem": problem.name,
                "contrast": contrast,
                "points": n,
                "solver": solver,
                "proposal": proposal,
                "iterations": iterations,
                "ms_per_sample": f"{run.milliseconds:.2f}",
                "compared_with": "no proposal" if proposal != "none" else "vcycle",
                "time_ratio": f"{run.milliseconds / base.milliseconds:.2f}",
                "difference": f"{float(L2(problem.domain).relative(value, u[: run.samples]).max()):.1e}",
            }
        )
        print(*rows[-1].values(), sep="\t", flush=True)
    return rows


if __name__ == "__main__":
    main()
