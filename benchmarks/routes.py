"""Are labels needed? The same network from labelled samples and, in five ways, from the equation alone.

    python benchmarks/routes.py [--cases darcy-4 ...] [--routes bound ...] [--labels 1000] [--steps 600] [--seeds 0 1 2]
    python benchmarks/routes.py --equal time     # as many steps as fit into the time of the labelled run

Every case is tested on the same 64 samples that no run has seen. A seed is that of the first weights and of all that a
run draws. Runs are kept in runs/routes, so that an interrupted comparison goes on where it was. Every new run is
written to its place in benchmarks/routes.csv, or routes_time.csv, where the time to make the labels is left out.
"""

import argparse
import json
import math
import shutil
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import torch

import vcycle
from machine import update_table
from training import train_whole
from vcycle.spaces import H1, L2
from vcycle.spaces.norms import gradient_energy

RUNS = Path("runs") / "routes"
NETWORK = {"name": "mgno", "width": 16, "depth": 3, "levels": 4}
RATE = 2e-3  # higher than the default, for trainings this short
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "darcy-4": ({"name": "darcy"}, 32),
    "darcy-100": ({"name": "darcy", "prior": {"name": "two_phase", "low": 1.0, "high": 100.0}}, 32),
    "darcy-1e4": ({"name": "darcy", "prior": {"name": "two_phase", "low": 1.0, "high": 1e4}}, 32),
    "darcy-1e6": ({"name": "darcy", "prior": {"name": "two_phase", "low": 1.0, "high": 1e6}}, 32),
    "darcy-4-3d": ({"name": "darcy", "dimension": 3}, 16),
    "darcy-100-3d": ({"name": "darcy", "dimension": 3, "prior": {"name": "two_phase", "low": 1.0, "high": 100.0}}, 16),
    "darcy-1e4-3d": ({"name": "darcy", "dimension": 3, "prior": {"name": "two_phase", "low": 1.0, "high": 1e4}}, 16),
    "poisson": ({"name": "poisson"}, 32),
    "parabolic": ({"name": "implicit_heat"}, 32),
    "anisotropic": ({"name": "anisotropic_darcy"}, 32),
    "elasticity": ({"name": "elasticity"}, 32),
    "stokes": ({"name": "stokes"}, 32),
    "p-laplacian": ({"name": "p_laplacian"}, 32),
    "minimal-surface": ({"name": "minimal_surface"}, 32),
    "semilinear": ({"name": "semilinear"}, 32),
}
LABELLED = {"labels": "energy", "labels_h1": "h1"}  # by the relative error in this norm
ROUTES = (*LABELLED, "bound", "ritz", "strong_residual", "dual_residual", "preconditioned_residual")
TEST, ROW = 64, "row.json"
TRIAL, TURNS = 20, 4  # steps by which the time of a step is measured, and how often


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--routes", nargs="+", choices=ROUTES, default=list(ROUTES))
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--equal", choices=["steps", "time"], default="steps")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    place, name = (RUNS, "routes.csv") if given.equal == "steps" else (RUNS / "time", "routes_time.csv")
    for case in given.cases:
        steps = dict.fromkeys(given.routes, given.steps)
        if given.equal == "time":
            steps = affordable(case, given.routes, given.labels, given.steps, given.threads)
        for route, seed in product(given.routes, given.seeds):
            folder = place / f"{case}-{route}-{given.labels}-{given.steps}-{seed}"
            if not (folder / ROW).exists():
                row = run(case, route, given.labels, steps[route], seed, given.threads, folder)
                update_table(name, [row], key=("case", "route", "seed"), threads=given.threads, order=position)
            print(*json.loads((folder / ROW).read_text()).values(), sep="\t", flush=True)


def position(row: dict[str, Any]) -> tuple[int, int, int]:
    """Of a row in the table: as cases and routes are listed above."""
    route = [words(route) in row["route"] for route in ROUTES].index(True)
    return list(CASES).index(row["case"]), route, int(row["seed"])


def words(route: str) -> str:
    return f"labels, {LABELLED[route]} norm" if route in LABELLED else f"equation alone, {route}"


def run(case: str, route: str, labels: int, steps: int, seed: int, threads: int, folder: Path) -> dict[str, Any]:
    """Train one way and test."""
    began = time.process_time()
    train_whole(configuration(case, route, labels), steps=steps, seed=seed, threads=threads, out=str(folder))
    seconds = time.process_time() - began
    problem, n = problem_of(case)
    test = vcycle.generate(problem, TEST, n, 1, RUNS / f"test-{case}", splits={"test": 1.0}, progress=False)
    pairs = test.split("test").read(range(TEST))
    prediction = vcycle.load(folder).predict(pairs.inputs)
    v, u, domain = prediction.value, pairs.outputs, problem.domain
    distance = distance_of(problem, pairs.inputs)
    ratio = prediction.bound / distance(v, u)
    errors = {
        "mean_l2": L2(domain).relative(v, u),
        "mean_h1": H1(domain).relative(v, u),
        "mean_energy": distance(v, u) / distance(0 * u, u),
    }
    row = {
        "case": case,
        "points": n,
        "route": f"{labels} {words(route)}" if route in LABELLED else words(route),
        "seed": seed,
        "steps": steps,
        "seconds": f"{seconds:.0f}",
        **{name: f"{float(value.mean()):.4f}" for name, value in errors.items()},
        "effectivity_median": f"{float(ratio.median()):.3f}",
        "effectivity_largest": f"{float(ratio.max()):.3f}",
    }
    (folder / ROW).write_text(json.dumps(row))
    return row


def configuration(case: str, route: str, labels: int) -> dict[str, Any]:
    """Of a run; labelled data are made where they are missing."""
    problem, n = problem_of(case)
    # Every route keeps the weights that are best on the same labelled validation set, so that losses, not their ways
    # to choose weights, are compared.
    common = {"network": NETWORK, "optimizer": {"lr": RATE}, "accelerator": "cpu", "validate_every": 50, "select": "h1"}
    if route not in LABELLED:
        plain = CASES[case][0]
        return {**common, "problem": plain, "resolution": n, "loss": route, "validation_samples": 32}
    data, splits = RUNS / f"data-{case}-{labels}", {"train": labels, "validation": 32}
    vcycle.generate(problem, labels + 32, n, 2, data, splits=splits, progress=False)
    return {**common, "data": str(data), "loss": LABELLED[route]}


def distance_of(problem: vcycle.problems.Problem, inputs: torch.Tensor) -> Callable[..., torch.Tensor]:
    """What the bound bounds, between the answer v and the discrete solution u: of flows the velocity in ||grad(.)||."""
    if isinstance(problem, vcycle.problems.Stokes):
        return lambda v, u: gradient_energy((v - u)[:, :-1].double(), problem.domain, "cell").sqrt()
    E = problem.discrete(inputs)
    return lambda v, u: E.distance(v.double(), u.double())


def problem_of(case: str) -> tuple[vcycle.problems.Problem, int]:
    plain, n = CASES[case]
    return vcycle.problems.build(vcycle.jobs.config.GenerateConfig(out="", problem=plain).problem.plain()), n


def affordable(case: str, routes: list[str], labels: int, steps: int, threads: int) -> dict[str, int]:
    """Steps of every route in the time that so many take with labels; kept, so that a comparison goes on unchanged."""
    file = RUNS / "time" / f"steps-{case}-{labels}-{steps}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    if not set(routes) <= set(known):
        costs = step_times(case, ["labels", *(route for route in routes if route != "labels")], labels, threads)
        known |= {route: round(steps * costs["labels"] / costs[route]) for route in routes}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known))
    return known


def step_times(case: str, routes: list[str], labels: int, threads: int) -> dict[str, float]:
    """The seconds of a step: the difference of a longer and a shorter run, the least of some taken in turns."""
    least = {(route, steps): math.inf for route in routes for steps in (1, 1 + TRIAL)}
    for _ in range(TURNS):
        for route, steps in least:
            options, out = configuration(case, route, labels), RUNS / "trials" / f"{case}-{route}-{labels}-{steps}"
            shutil.rmtree(out, ignore_errors=True)  # a finished run takes no time
            began = time.process_time()
            train_whole(options, steps=steps, threads=threads, out=str(out))
            least[route, steps] = min(least[route, steps], time.process_time() - began)
    return {route: (least[route, 1 + TRIAL] - least[route, 1]) / TRIAL for route in routes}


if __name__ == "__main__":
    main()
