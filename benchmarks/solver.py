"""How fast are labels? The batched solver against PyAMG and SuperLU on the same Darcy systems, and its iterations.

    python benchmarks/solver.py [--sizes 64 128 256 512] [--threads 1]

One interleaved run: for every size the three solvers take turns, three rounds, the least time counts; set-up is
included for all. All reach a relative residual of 1e-8 and their solutions are compared. Freed memory stays with the
process for all three, as in `vcycle generate` (spaces.kept_memory). Writes benchmarks/solver.csv.
"""

import argparse
from functools import partial

import numpy as np
import pyamg
import scipy.sparse as sp
import scipy.sparse.linalg
import torch

from machine import write_table
from timing import Timed, in_turns
from vcycle.problems import Darcy, TwoPhase
from vcycle.problems.assembled import assemble
from vcycle.spaces import kept_memory

ROUNDS = 3
BATCH = {64: 16, 128: 16, 256: 8, 512: 4}


def batched(problem: Darcy, a: torch.Tensor) -> tuple[np.ndarray, int]:
    solution = problem.solve(a, 1e-8)
    return solution.value[:, 0].numpy(), solution.iterations


def amg(problem: Darcy, a: torch.Tensor) -> tuple[np.ndarray, int]:
    """Ruge-Stueben set up for every matrix, as preconditioner of CG."""
    n, out, most = a.shape[-1], [], 0
    for coefficient in a[:, 0].numpy():
        matrix = sp.csr_matrix(assemble(coefficient, problem.domain))
        residuals: list[float] = []
        hierarchy = pyamg.ruge_stuben_solver(matrix)
        f = np.full(n * n, 1 / n**2)
        out.append(hierarchy.solve(f, tol=1e-8, accel="cg", residuals=residuals).reshape(n, n))
        most = max(most, len(residuals) - 1)
    return np.stack(out), most


def direct(problem: Darcy, a: torch.Tensor) -> tuple[np.ndarray, int]:
    """SuperLU with the minimum-degree ordering on A + A^T, its best for these matrices."""
    n, out = a.shape[-1], []
    for coefficient in a[:, 0].numpy():
        matrix = sp.csc_matrix(assemble(coefficient, problem.domain))
        factor = scipy.sparse.linalg.splu(
            matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}, diag_pivot_thresh=0.0
        )
        out.append(factor.solve(np.full(n * n, 1 / n**2)).reshape(n, n))
    return np.stack(out), 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--contrasts", type=float, nargs="+", default=[4.0, 1e6])
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = []
    for contrast in given.contrasts:
        problem = Darcy(prior=TwoPhase(3.0, 3.0 * contrast))
        for n in given.sizes:
            a = problem.sample((n, n), 17, range(BATCH.get(n, 4)))
            solvers = {"vcycle": batched, "PyAMG": amg, "SuperLU": direct}
            rivals = {name: Timed(partial(solve, problem, a), len(a)) for name, solve in solvers.items()}
            with kept_memory():
                in_turns(rivals.values(), ROUNDS)
            reference = rivals["SuperLU"].result[0]
            for name, rival in rivals.items():
                value, iterations = rival.result
                difference = np.linalg.norm(value - reference) / np.linalg.norm(reference)
                ratio = rival.seconds / rivals["vcycle"].seconds
                rows.append(
                    {
                        "contrast": f"{contrast:g}",
                        "points": n,
                        "batch": len(a),
                        "solver": name,
                        "iterations": iterations or "",
                        "ms_per_sample": f"{rival.milliseconds:.2f}",
                        "time_over_vcycle": f"{ratio:.2f}",
                        "difference_to_direct": f"{difference:.1e}",
                    }
                )
                print(*rows[-1].values(), sep="\t", flush=True)
    write_table("solver.csv", rows, threads=given.threads)


if __name__ == "__main__":
    main()
