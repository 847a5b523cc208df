"""How sharp are the bounds of nonlinear problems, and what do they cost? Effectivity, bound / energy distance.

    python benchmarks/gap.py

For every problem 4 samples, wrong by a smooth field or noise of 0.1 % to 100 % of the solution's L2 norm, bounded with
and without a Newton step for the flux. `cost` is the time of a bound relative to one Newton step, both from values with
smooth errors of 1 %. Writes benchmarks/gap.csv.
"""

import torch

from machine import write_table
from timing import Timed, in_turns
from vcycle.hybrid import duality_gap
from vcycle.hybrid.bregman import energy_distance
from vcycle.problems import MinimalSurface, PLaplacian, SemilinearElliptic, Variational
from vcycle.problems.variational_energy import DiscreteEnergy
from vcycle.solvers import newton
from vcycle.spaces import L2, Domain, GaussianField

PROBLEMS: dict[str, Variational] = {
    "p-Laplacian, p = 1.5": PLaplacian(p=1.5),
    "p-Laplacian, p = 3": PLaplacian(p=3.0),
    "p-Laplacian, p = 4": PLaplacian(p=4.0),
    "semilinear": SemilinearElliptic(),
    "minimal surface, amplitude 0.3": MinimalSurface(amplitude=0.3),
    "minimal surface, amplitude 3": MinimalSurface(amplitude=3.0),
}
SAMPLES, RUNS = 4, 3
QUANTILES = {"least": 0.0, "median": 0.5, "largest": 1.0}


def cost(E: DiscreteEnergy, v: torch.Tensor, tighten: int) -> float:
    """Processor time of a bound relative to that of one Newton step from v, the least of RUNS each, taken in turns."""
    gap = Timed(lambda: duality_gap(E, v, tighten=tighten))
    step = Timed(lambda: newton(E, v, tolerance=0.0, most=1))
    in_turns([gap, step], RUNS)
    return gap.seconds / step.seconds


def errors(u: torch.Tensor, domain: Domain) -> dict[str, torch.Tensor]:
    """Fields with the L2 norm of u."""
    smooth = GaussianField(domain).standard(tuple(u.shape[2:]), 7, range(len(u))).double()
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=u.dtype)
    norm = L2(domain)
    return {name: e * (norm(u) / norm(e)).view(-1, 1, 1, 1) for name, e in (("smooth", smooth), ("noise", noise))}


def main() -> None:
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for name, problem in PROBLEMS.items():
        for n in (32, 64):
            inputs = problem.sample((n, n), 0, range(SAMPLES))
            E, u = problem.discrete(inputs), problem.solve(inputs, 1e-12).value
            wrong = errors(u, problem.domain)
            for tighten in (0, 1):
                factor = cost(E, u + 1e-2 * wrong["smooth"], tighten)
                for kind, e in wrong.items():
                    for amplitude in (1e-3, 1e-2, 1e-1, 1.0):
                        v = u + amplitude * e
                        found = duality_gap(E, v, tighten=tighten)
                        ratio = found.value / energy_distance(E, v, u)
                        quantiles = {q: f"{float(ratio.quantile(x)):.5f}" for q, x in QUANTILES.items()}
                        setting = {"problem": name, "n": n, "error": kind, "amplitude": amplitude, "tighten": tighten}
                        relative = f"{float(found.relative.median()):.4f}"
                        rows.append({**setting, **quantiles, "relative": relative, "cost": f"{factor:.2f}"})
                        print(*rows[-1].values(), sep="\t", flush=True)
    write_table("gap.csv", rows, threads=1)


if __name__ == "__main__":
    main()
