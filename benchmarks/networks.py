"""Which network for which problem? Every network on the same data, splits, parameters and steps.

    python benchmarks/networks.py train [--problems darcy ...] [--networks mgno ...] [--seeds 0 1 2] [--steps 300]
    python benchmarks/networks.py time       # seconds per step and per prediction, all networks in turns
    python benchmarks/networks.py table      # benchmarks/networks.csv from all runs that are there

Every network gets the width that brings it nearest to 0.6 million parameters, its defaults otherwise, and the same
optimiser: Adam, one cycle to 2e-3, batch 8, gradients clipped at 1, relative H1 loss. Weights are selected on
validation data; the test set is seen once, at the resolution of the training and, with the same functions, at twice
that. Runs are kept in runs/networks, so that an interrupted comparison goes on where it was, and several processes can
share the work.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import vcycle
from machine import stamped, write_table
from training import train_whole
from vcycle.networks import NETWORKS, StencilNetwork, align_weights, build
from vcycle.operators import count_parameters
from vcycle.spaces import H1, L2, Domain, kept_memory, suit_vectors

BUDGET = 600_000
RATE = 2e-3  # higher than the default, for a training this short
STEP = 4  # of widths: heads and groups divide it
TRAIN, VALIDATION, TEST = 512, 64, 128
RUNS = Path("runs") / "networks"


@dataclass(frozen=True)
class Case:
    """A problem, and the resolution of its training unless another is asked for."""

    problem: dict[str, Any]
    resolution: int


CASES = {
    "darcy": Case({"name": "darcy"}, 64),
    "multiscale": Case({"name": "darcy", "prior": {"name": "multiscale"}}, 64),
    "poisson": Case({"name": "poisson"}, 64),
    "helmholtz": Case({"name": "helmholtz"}, 64),
    "burgers": Case({"name": "burgers"}, 256),
    "navier_stokes": Case({"name": "navier_stokes"}, 64),
}


VARIANTS: dict[str, dict[str, Any]] = {name: {"name": name} for name in NETWORKS} | {
    "fno_domain": {"name": "fno", "basis": "domain"},
    "fno_tucker": {"name": "fno", "factorization": "tucker", "rank": 0.1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "time", "table"])
    parser.add_argument("--problems", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--networks", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--points", type=int, help="points per axis, instead of the problem's own number")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.what == "train":
        for seed in given.seeds:
            for problem in given.problems:
                for network in given.networks:
                    run(problem, given.points or CASES[problem].resolution, network, seed, given.steps, given.threads)
    elif given.what == "time":
        measure_speed(given.problems, given.points, given.networks, given.threads)
    else:
        write_table("networks.csv", rows(), threads=given.threads)


def run(case: str, n: int, network: str, seed: int, steps: int, threads: int) -> None:
    """Train and test one network, unless that has been done."""
    folder = RUNS / f"{case}{n}-{network}-{steps}-{seed}"
    if (folder / "row.json").exists():
        return
    data, tests = data_of(case, n)
    options, parameters = sized(network, case, n)
    configuration = {"data": str(data), "network": options, "optimizer": {"lr": RATE}, "seed": seed}
    train_whole(configuration, steps=steps, threads=threads, out=str(folder))
    row = {"problem": case, "resolution": n, "network": network, "parameters": parameters, "steps": steps, "seed": seed}
    surrogate = vcycle.load(folder)
    for label, test in tests.items():
        row |= {f"{name}{label}": value for name, value in errors(surrogate, test).items()}
    (folder / "row.json").write_text(json.dumps(stamped(row, threads)))
    print(row, flush=True)


def errors(surrogate: vcycle.surrogate.Surrogate, folder: Path) -> dict[str, float | None]:
    """Mean relative errors on a test set; None where the network does not run at its resolution."""
    test = vcycle.data.Dataset.open(folder).split("test")
    pairs = test.read(range(len(test)))
    try:
        v = surrogate.apply(pairs.inputs)
    except ValueError:
        return {"l2": None, "h1": None, "boundary": None}
    domain, u = surrogate.domain, pairs.outputs
    relative = {"l2": L2(domain).relative(v, u), "h1": H1(domain).relative(v, u), "boundary": trace(v - u, u, domain)}
    return {name: None if value is None else float(value.mean()) for name, value in relative.items()}


def trace(e: Tensor, u: Tensor, domain: Domain) -> Tensor | None:
    """Root mean square of e on the Dirichlet faces, extrapolated from two cells, over that of u inside."""
    squares = []
    for axis, faces in enumerate(domain.boundary):
        for condition, first, second in zip(faces, (0, -1), (1, -2), strict=True):
            if condition == "dirichlet":
                on_face = 1.5 * e.select(axis + 2, first) - 0.5 * e.select(axis + 2, second)
                squares.append(on_face.square().flatten(1).mean(1))
    return (torch.stack(squares).mean(0) / u.square().flatten(1).mean(1)).sqrt() if squares else None


@lru_cache
def data_of(case: str, n: int) -> tuple[Path, dict[str, Path]]:
    """The training data, and the test sets at the same and at twice the resolution."""
    problem = vcycle.problems.build(plain(case))
    data, tests = RUNS / f"data-{case}{n}", {"": RUNS / f"test-{case}{n}", "_double": RUNS / f"test-{case}{n}-double"}
    vcycle.generate(problem, TRAIN + VALIDATION, n, 1, data, splits={"train": TRAIN, "validation": VALIDATION})
    for factor, folder in zip((1, 2), tests.values(), strict=True):
        vcycle.generate(problem, TEST, factor * n, 2, folder, splits={"test": 1.0})
    return data, tests


def plain(case: str) -> dict[str, Any]:
    return vcycle.jobs.config.GenerateConfig(out="", problem=CASES[case].problem).problem.plain()


@lru_cache
def sized(network: str, case: str, n: int) -> tuple[dict[str, Any], int]:
    """The options of the network with the width, a multiple of 4, nearest to the budget, and its parameters."""
    problem = vcycle.problems.build(plain(case))
    channels = len(problem.input_names), len(problem.output_names)
    options = VARIANTS[network]
    if issubclass(NETWORKS[options["name"]], StencilNetwork):
        options = {**options, "resolution": n}

    def parameters(width: int) -> int:
        with torch.device("meta"):
            return count_parameters(build({**options, "width": width}, *channels, problem.domain))

    low, high = 8, 1024
    while high - low > STEP:
        middle = (low + high) // (2 * STEP) * STEP
        low, high = (middle, high) if parameters(middle) <= BUDGET else (low, middle)
    width = min((low, high), key=lambda w: abs(parameters(w) - BUDGET))
    return {**options, "width": width}, parameters(width)


@kept_memory()
def measure_speed(cases: list[str], points: int | None, networks: list[str], threads: int) -> None:
    """The least of several timings of every network, taken in turns, in a process set up as by `vcycle train`."""
    suit_vectors()
    measured = []
    for case in cases:
        problem, n = vcycle.problems.build(plain(case)), points or CASES[case].resolution
        x = problem.sample((n,) * problem.domain.dimension, 3, range(16)).float()
        built = {
            name: build(sized(name, case, n)[0], x.shape[1], len(problem.output_names), problem.domain)
            for name in networks
        }
        for network in built.values():
            align_weights(network)
        least: dict[str, list[float]] = {name: [float("inf")] * 2 for name in networks}
        for _ in range(3):
            for name, network in built.items():
                with torch.no_grad():
                    least[name][1] = min(least[name][1], seconds(partial(network, x)) / 16)
                least[name][0] = min(least[name][0], seconds(partial(step, network, x[:8])))
        for name, (training, prediction) in least.items():
            ms = {"step_ms": f"{1e3 * training:.0f}", "prediction_ms": f"{1e3 * prediction:.2f}"}
            measured.append(
                {"problem": case, "resolution": n, "network": name, "parameters": sized(name, case, n)[1], **ms}
            )
            print(measured[-1], flush=True)
    write_table("networks_speed.csv", measured, threads=threads)


def step(network: nn.Module, x: Tensor) -> None:
    network(x).square().sum().backward()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows() -> list[dict[str, object]]:
    """One row per problem, network and number of steps: mean of the seeds, deviation in L2, stamp of the latest."""
    runs = [json.loads(file.read_text()) for file in sorted(RUNS.glob("*/row.json"))]
    keys = sorted({(list(CASES).index(r["problem"]), r["resolution"], r["steps"], r["network"]) for r in runs})
    table = []
    for index, resolution, steps, network in keys:
        key = (list(CASES)[index], resolution, steps, network)
        same = [r for r in runs if (r["problem"], r["resolution"], r["steps"], r["network"]) == key]
        row: dict[str, object] = {
            "problem": key[0],
            "resolution": resolution,
            "network": network,
            "parameters": same[0]["parameters"],
            "steps": steps,
            "seeds": len(same),
        }
        for name in ("l2", "h1", "boundary", "l2_double", "h1_double"):
            values = [r[name] for r in same if r[name] is not None]
            row[name] = f"{statistics.mean(values):.4f}" if values else ""
        row["l2_deviation"] = f"{statistics.stdev([r['l2'] for r in same]):.4f}" if len(same) > 1 else ""
        latest = max(same, key=lambda r: r["date"])
        table.append(row | {name: latest[name] for name in ("machine", "threads", "date")})
    return table


if __name__ == "__main__":
    main()
