"""Do learned preconditioners pay? Iterations, set-up and solution against classical ones on the same Darcy matrices.

    python benchmarks/preconditioners.py [--sizes 64 128 256 512] [--contrasts 4 100 1e4 1e6] [--threads 1]

-div(a grad u) = 1, two phases; residuals weighted with the inverse diagonal, to 1e-8. `V-cycle` is geometric, in double
precision, as the learned multigrid is; `V-cycle of solve` is what the program takes (operators.classical_cycle).
Everything but the direct solver runs inside the same conjugate gradients (solvers, or hybrid.conjugate_directions where
a learned map is guarded by a classical one). The learned maps are fitted here, on 32 x 32 cells of all contrasts,
without labels, and serve every size. Process time, least of two rounds at 64 per side; 512 per side at contrasts 4 and
1e6 alone. Writes benchmarks/preconditioners.csv.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pyamg
import scipy.sparse as sp
import scipy.sparse.linalg
import torch
from torch import Tensor

from machine import write_table
from vcycle.hybrid import conjugate_directions
from vcycle.networks import UNet
from vcycle.networks.learned_direction import LearnedDirection
from vcycle.networks.learned_factor import LearnedFactor
from vcycle.networks.learned_multigrid import LearnedMultigrid
from vcycle.networks.preconditioner import LearnedPreconditioner, fit, residual_left
from vcycle.operators import FiniteVolume, LinearOperator, classical_cycle, geometric_multigrid
from vcycle.operators.sparse_factor import incomplete_cholesky
from vcycle.problems import Darcy, TwoPhase
from vcycle.problems.assembled import assemble
from vcycle.solvers import conjugate_gradients

Map = Callable[[Tensor], Tensor]
TOLERANCE, MOST, BATCH = 1e-8, 3000, 2
TRAIN = 32
LARGEST = {"none": 64, "Jacobi": 256, "IC(0)": 256, "learned factor": 256, "learned factor | IC(0)": 256}
LARGEST |= {
    "learned direction | Jacobi": 128,
    "learned direction | V-cycle": 256,
    "direction by residuals | Jacobi": 64,
}


class ByRows(LinearOperator):
    """A preconditioner of NumPy vectors, one per sample."""

    def __init__(self, A: FiniteVolume, solves: list[Callable[[np.ndarray], np.ndarray]]):
        super().__init__(A.source, A.target)
        self.solves = solves
        self.register_buffer("diagonal", A.diagonal)

    def forward(self, u: Tensor) -> Tensor:
        rows = [torch.from_numpy(solve(row.numpy().ravel())) for solve, row in zip(self.solves, u, strict=True)]
        return torch.stack(rows).view_as(u)

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        return None


class ByResidual(LearnedDirection):
    """With the loss of P118."""

    def loss(self, A: FiniteVolume, e: Tensor) -> Tensor:
        r = A(e)
        return residual_left(A, r, self.at(A)(r)).mean()


def amg(build: Callable) -> Callable[[FiniteVolume, Tensor], LinearOperator]:
    def at(A: FiniteVolume, a: Tensor) -> LinearOperator:
        matrices = [sp.csr_matrix(assemble(one, A.domain)) for one in a[:, 0].numpy()]
        return ByRows(A, [build(matrix).aspreconditioner(cycle="V").matvec for matrix in matrices])

    return at


def systems(contrast: float, n: int, seed: int, count: int) -> tuple[Tensor, FiniteVolume, Tensor]:
    problem = Darcy(prior=TwoPhase(1.0, contrast))
    a = problem.sample((n, n), seed, range(count))
    return a, *problem.system(a)


def trained(network: LearnedPreconditioner, steps: int, rate: float) -> tuple[LearnedPreconditioner, float]:
    contrasts = (4.0, 100.0, 1e4, 1e6)
    pool = [systems(contrasts[i % 4], TRAIN, 100 + i, 4)[1] for i in range(16)]
    began = time.process_time()
    fit(network, lambda step: pool[step // 8 % 16], steps=steps, rate=rate)
    return network.eval(), time.process_time() - began


def jacobi(A: FiniteVolume) -> LinearOperator:
    return ByRows(A, [lambda r, d=d: r / d for d in A.diagonal.flatten(1).numpy()])


def none(A: FiniteVolume) -> LinearOperator:
    return ByRows(A, [lambda r: r] * len(A.diagonal))


def ic(A: FiniteVolume) -> LinearOperator:
    return incomplete_cholesky(A).inverse(A.domain)


def direct(a: Tensor, A: FiniteVolume, f: Tensor) -> tuple[Tensor, int, float, float, str]:
    began, out = time.process_time(), []
    options = {"permc_spec": "MMD_AT_PLUS_A", "options": {"SymmetricMode": True}, "diag_pivot_thresh": 0.0}
    factors = [scipy.sparse.linalg.splu(sp.csc_matrix(assemble(one, A.domain)), **options) for one in a[:, 0].numpy()]
    built = time.process_time()
    out = [factor.solve(row.ravel()) for factor, row in zip(factors, f.numpy(), strict=True)]
    return torch.from_numpy(np.stack(out)).view_as(f), 0, built - began, time.process_time() - built, ""


def iterated(make: Callable, a: Tensor, A: FiniteVolume, f: Tensor, guard: Callable | None, slow: bool):
    began = time.process_time()
    B = make(A, a)
    classical = None if guard is None else guard(A)
    built = time.process_time()
    options = {"weight": 1 / A.diagonal, "tolerance": TOLERANCE, "most": MOST}
    if classical is None and slow:
        # conjugate_gradients takes 50 iterations without halving the residual for rounding; here they are normal.
        solution = conjugate_directions(A, f, B, B, race=0, trial=MOST, patience=MOST, memory=1, **options).solution
        turned = ""
    elif classical is None:
        solution, turned = conjugate_gradients(A, f, B, **options), ""
    else:
        done = conjugate_directions(A, f, B, classical, **options)
        solution, turned = done.solution, f"{float((done.turned >= 0).double().mean()):g}"
    failed = "" if bool(solution.converged.all()) else " not converged"
    return solution.value, solution.iterations, built - began, time.process_time() - built, turned + failed


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--contrasts", type=float, nargs="+", default=[4.0, 1e2, 1e4, 1e6])
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)

    def unet() -> UNet:
        return UNet(2, 1, width=8, levels=4, norm=None, activation="relu")

    with torch.enable_grad():
        multigrid, multigrid_s = trained(LearnedMultigrid(), 128, 3e-2)
        factor, factor_s = trained(LearnedFactor(Darcy().domain), 256, 1e-2)
        direction, direction_s = trained(LearnedDirection(unet()), 384, 5e-3)
        other, other_s = trained(ByResidual(unet()), 384, 5e-3)
    rivals = {  # name: (map of (A, a), classical guard, seconds of training)
        "none": (lambda A, a: none(A), None, 0.0),
        "Jacobi": (lambda A, a: jacobi(A), None, 0.0),
        "IC(0)": (lambda A, a: ic(A), None, 0.0),
        "PyAMG RS": (amg(pyamg.ruge_stuben_solver), None, 0.0),
        "PyAMG SA": (amg(pyamg.smoothed_aggregation_solver), None, 0.0),
        "V-cycle": (lambda A, a: geometric_multigrid(A), None, 0.0),
        "V-cycle of solve": (lambda A, a: classical_cycle(A), None, 0.0),
        "direct": (None, None, 0.0),
        "learned multigrid": (lambda A, a: multigrid.at(A), None, multigrid_s),
        "learned multigrid | V-cycle": (lambda A, a: multigrid.at(A), geometric_multigrid, multigrid_s),
        "learned factor": (lambda A, a: factor.at(A), None, factor_s),
        "learned factor | IC(0)": (lambda A, a: factor.at(A), ic, factor_s),
        "learned direction | Jacobi": (lambda A, a: direction.at(A), jacobi, direction_s),
        "learned direction | V-cycle": (lambda A, a: direction.at(A), geometric_multigrid, direction_s),
        "direction by residuals | Jacobi": (lambda A, a: other.at(A), jacobi, other_s),
    }
    rows = []
    for contrast in given.contrasts:
        for n in [n for n in given.sizes if n <= 256 or not 4 < contrast < 1e6]:
            a, A, f = systems(contrast, n, 17, 1 if n > 256 else BATCH)
            best: dict[str, tuple] = {}
            for _ in range(2 if n <= 64 else 1):
                for name, (make, guard, _training) in rivals.items():
                    if n > LARGEST.get(name, n):
                        continue
                    found = direct(a, A, f) if make is None else iterated(make, a, A, f, guard, name in LARGEST)
                    if name not in best or found[2] + found[3] < best[name][2] + best[name][3]:
                        best[name] = found
            rows += table(contrast, n, len(a), best, {name: training for name, (_, _, training) in rivals.items()})
    write_table("preconditioners.csv", rows, threads=given.threads)


def table(contrast: float, n: int, batch: int, best: dict[str, tuple], training: dict[str, float]) -> list[dict]:
    rows, exact = [], best["direct"][0]
    classical = min(b[2] + b[3] for name, b in best.items() if not training[name])
    for name, (value, iterations, setup, solve, turned) in best.items():
        saved = (classical - setup - solve) / batch
        repaid = "" if not training[name] else "never" if saved <= 0 else f"{training[name] / saved:.0f}"
        row = {"contrast": f"{contrast:g}", "points": n, "batch": batch, "solver": name, "iterations": iterations or ""}
        row |= {"turned": turned, "setup_ms": f"{setup / batch * 1e3:.1f}", "solve_ms": f"{solve / batch * 1e3:.1f}"}
        row |= {"total_ms": f"{(setup + solve) / batch * 1e3:.1f}", "training_s": f"{training[name]:.0f}"}
        row |= {"repaid_after_solves": repaid}
        row |= {"difference_to_direct": f"{float((value - exact).norm() / exact.norm()):.1e}"}
        print(*row.values(), sep="\t", flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
