"""Does it pay to hand a Krylov space on from system to system (P115), and against whom?

    python benchmarks/recycling.py [--points 48] [--systems 20]

Sequences of related systems to 1e-8, one core: GMRES(40) for each by itself, GCRO-DR(40, 20) in the order in which the
systems come and in sorted order, without a preconditioner and with an incomplete factorisation, as P115 compares them;
and what one would take today: a sparse direct solver with a good ordering, and where the matrix is symmetric and
positive, CG with algebraic multigrid (set-up included) and the batched multigrid-CG of vcycle. Every solution is
compared with the direct one; Krylov methods stop after 2,000 products, solved or not. Milliseconds per system are means
over the sequence, assembly not counted.
Writes benchmarks/recycling.csv.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyamg
import scipy.sparse as sp
import scipy.sparse.linalg
import torch

from machine import write_table
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.problems import Darcy, Helmholtz, LogNormal
from vcycle.problems.assembled import assemble
from vcycle.problems.wave_operator import mass
from vcycle.solvers import chain, conjugate_gradients, gcro_dr
from vcycle.spaces import Domain

TOLERANCE, RESTART, RECYCLED, MOST = 1e-8, 40, 20, 2000
Solved = tuple[np.ndarray, int | None]


@dataclass(frozen=True)
class Sequence:
    """Related systems A u = b, the parameters that they are sorted by, and the coefficient where A is diffusion."""

    name: str
    matrices: list[sp.csc_array]
    loads: list[np.ndarray]
    parameters: np.ndarray
    coefficient: torch.Tensor | None = None


def darcy(n: int, count: int) -> Sequence:
    """-div(a grad u) = 1 with log a a Gaussian field of deviation 1: symmetric and positive."""
    problem = Darcy(prior=LogNormal(sigma=1.0, alpha=2.5, tau=7.0))
    a = problem.sample((n, n), 0, range(count))
    matrices = [sp.csc_array(assemble(x[0].numpy(), problem.domain)) for x in a]
    return Sequence("Darcy", matrices, [np.full(n * n, n**-2.0)] * count, a.flatten(1).log().numpy(), a)


def convection(n: int, count: int) -> Sequence:
    """-lap u + c . grad u = 1, upwind, c = 100 (cos t, sin t) with a field of angles t: not symmetric."""
    domain = Domain.unit(2)
    angles = LogNormal(sigma=1.0).sample(domain, (n, n), 0, range(count)).log()
    laplacian, difference = (
        assemble(np.ones((n, n)), domain),
        sp.diags_array([np.ones(n), -np.ones(n - 1)], offsets=[0, -1]),
    )
    matrices, eye, h = [], sp.eye_array(n), 1 / n
    for t in angles[:, 0].flatten(1).numpy():
        A = laplacian
        for speed, D in ((np.cos(t), sp.kron(difference, eye)), (np.sin(t), sp.kron(eye, difference))):
            up, down = sp.diags_array(100 * h * np.maximum(speed, 0)), sp.diags_array(100 * h * np.minimum(speed, 0))
            A = A + up @ D - down @ D.T
        matrices.append(sp.csc_array(A))
    return Sequence("convection", matrices, [np.full(n * n, h**2)] * count, angles.flatten(1).numpy())


def helmholtz(n: int, count: int) -> Sequence:
    """-lap u - (omega / c)^2 u = f, absorbing: complex, symmetric, indefinite."""
    problem = Helmholtz()
    c = problem.sample((n, n), 0, range(count))
    laplacian = assemble(np.ones((n, n)), problem.domain)
    matrices = [
        sp.csc_array(laplacian + sp.diags_array(m.ravel()))
        for m in mass(problem.omega / c, problem.domain, True).numpy()
    ]
    point = np.zeros((n, n), dtype=complex)
    point[n // 2, n // 2] = 1
    return Sequence("Helmholtz", matrices, [point.ravel()] * count, c.flatten(1).numpy())


def krylov(sequence: Sequence, *, recycled: int, ordered: bool, ilu: bool) -> Iterator[Solved]:
    order = chain(sequence.parameters) if ordered else list(range(len(sequence.matrices)))
    found: dict[int, Solved] = {}
    space = None
    for i in order:
        A, b = sequence.matrices[i], sequence.loads[i]
        M = scipy.sparse.linalg.spilu(A, drop_tol=1e-3, fill_factor=5).solve if ilu else None
        options = {"restart": RESTART, "recycled": recycled, "tolerance": TOLERANCE, "most": MOST}
        result = gcro_dr(A.__matmul__, b, space=space, M=M, **options)
        space = result.space if recycled else None
        found[i] = (result.value, result.products)
    yield from (found[i] for i in range(len(order)))


def direct(sequence: Sequence) -> Iterator[Solved]:
    for A, b in zip(sequence.matrices, sequence.loads, strict=True):
        yield scipy.sparse.linalg.splu(A, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(b), None


def amg(sequence: Sequence) -> Iterator[Solved]:
    for A, b in zip(sequence.matrices, sequence.loads, strict=True):
        residuals: list[float] = []
        solver = pyamg.ruge_stuben_solver(sp.csr_matrix(A))
        yield solver.solve(b, tol=TOLERANCE, accel="cg", residuals=residuals), len(residuals) - 1


def batched(sequence: Sequence) -> Iterator[Solved]:
    assert sequence.coefficient is not None
    A = FiniteVolume.assemble(sequence.coefficient, Domain.unit(2))
    f = torch.full_like(sequence.coefficient, sequence.loads[0][0])
    solution = conjugate_gradients(A, f, geometric_multigrid(A), weight=1 / A.diagonal, tolerance=TOLERANCE)
    yield from ((u.numpy().ravel(), solution.iterations) for u in solution.value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=48)
    parser.add_argument("--systems", type=int, default=20)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for make in (darcy, convection, helmholtz):
        sequence = make(given.points, given.systems)
        exact = [u for u, _ in direct(sequence)]
        for name, solve in solvers(sequence).items():
            began = time.perf_counter()
            found = list(solve())
            seconds = time.perf_counter() - began
            products = [count for _, count in found if count is not None]
            gaps = [np.linalg.norm(u - v) / np.linalg.norm(v) for (u, _), v in zip(found, exact, strict=True)]
            rows.append(
                {
                    "systems": sequence.name,
                    "points": given.points,
                    "count": given.systems,
                    "solver": name,
                    "iterations": f"{np.mean(products):.0f}" if products else "",
                    "ms_per_system": f"{1e3 * seconds / given.systems:.1f}",
                    "difference_to_direct": f"{max(gaps):.1e}",
                }
            )
            print(*rows[-1].values(), sep="\t", flush=True)
    write_table("recycling.csv", rows, threads=1)


def solvers(sequence: Sequence) -> dict[str, Callable[[], Iterator[Solved]]]:
    """By name, the weak ones first."""
    out: dict[str, Callable[[], Iterator[Solved]]] = {}
    for ilu, end in ((False, ""), (True, ", ILU")):
        out[f"GMRES({RESTART}){end}"] = lambda i=ilu: krylov(sequence, recycled=0, ordered=False, ilu=i)
        recycling = f"GCRO-DR({RESTART}, {RECYCLED})"
        out[f"{recycling}{end}"] = lambda i=ilu: krylov(sequence, recycled=RECYCLED, ordered=False, ilu=i)
        out[f"{recycling}, sorted{end}"] = lambda i=ilu: krylov(sequence, recycled=RECYCLED, ordered=True, ilu=i)
    out["direct"] = lambda: direct(sequence)
    if sequence.coefficient is not None:
        out["CG with AMG"] = lambda: amg(sequence)
        out["vcycle, batched"] = lambda: batched(sequence)
    return out


if __name__ == "__main__":
    main()
