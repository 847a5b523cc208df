"""What does an unknown cost, and how much memory, as grids grow?

    python benchmarks/scale.py [--dimensions 2 3] [--least 64 32] [--most 1024 256]

writes benchmarks/scale_2d.csv and scale_3d.csv, and from both docs/images/scale.png.

Darcy flow with contrast 4 on n^d cells, n from 64 to 1024 in two dimensions and from 32 to 256 in three, batches of as
many samples as make a million unknowns (a quarter of that in three dimensions): the prediction of an untrained MgNO as
it comes, the solution to 1e-8 from zero with its proof, and the guaranteed bound alone. Every measurement is a process
of its own, which keeps the memory it frees as the verbs do; memory is what the work adds to it at its largest (as Linux
says), time is the processor's, and of three times the least counts.
Above four million unknowns there is one round, and no prediction: its features would not fit into memory.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from matplotlib.ticker import FuncFormatter, NullFormatter

from machine import forget_peak, peak, read_table, write_table
from vcycle.analysis.canvas import BLUE, GREEN, ORANGE, legend_above, new_figure, style
from vcycle.hybrid import energy_bound, solve_to_tolerance
from vcycle.networks import build
from vcycle.problems import Darcy
from vcycle.spaces import Domain, kept_memory

HOME = Path(__file__).parent
UNKNOWNS, ROUNDS = {2: 2**20, 3: 2**18}, 3
MANY = 2**22  # unknowns
WORKS = {"prediction": BLUE, "solution": ORANGE, "bound": GREEN}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--least", nargs=2, type=int, default=[64, 32], help="points per axis in 2-D and in 3-D")
    parser.add_argument("--most", nargs=2, type=int, default=[1024, 256], help="points per axis in 2-D and in 3-D")
    parser.add_argument("--dimensions", nargs="+", type=int, choices=(2, 3), default=[2, 3])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.one is not None:
        print(json.dumps(measured(given.one[0], int(given.one[1]), int(given.one[2]))))
        return
    for dimension in given.dimensions:
        n, rows = given.least[dimension - 2], []
        while n <= given.most[dimension - 2]:
            for what in WORKS if n**dimension <= MANY else [w for w in WORKS if w != "prediction"]:
                rows.append(measured_apart(what, dimension, n, given.threads))
                # At once: stopped on the way, it has something.
                write_table(f"scale_{dimension}d.csv", rows, threads=given.threads)
            n *= 2
    draw()


def measured_apart(what: str, dimension: int, n: int, threads: int) -> dict[str, object]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--threads", str(threads), "--one", what, str(dimension), str(n)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    out = {"work": what, "dimension": dimension, "points": n, "batch": found["batch"], "cells": n**dimension}
    each = found["batch"] * n**dimension
    out |= {"ns_per_cell": f"{1e9 * found['seconds'] / each:.0f}", "bytes_per_cell": f"{found['bytes'] / each:.0f}"}
    print(*out.values(), sep="\t", flush=True)
    return out


def measured(what: str, dimension: int, n: int) -> dict[str, float]:
    """Seconds of the work and the bytes it needs beyond its inputs."""
    problem = Darcy(Domain.unit(dimension))
    batch = max(1, UNKNOWNS[dimension] // n**dimension)
    a = problem.sample((n,) * dimension, 0, range(batch))
    v, a32 = torch.zeros_like(a), a.float()
    network = build({"name": "mgno", "resolution": n}, 1, 1, problem.domain).eval()
    work = {
        "prediction": lambda: network(a32),
        "solution": lambda: solve_to_tolerance(None, a, domain=problem.domain, tolerance=1e-8),
        "bound": lambda: energy_bound(v, a, domain=problem.domain),
    }[what]
    seconds = []
    before = forget_peak()
    with torch.no_grad(), kept_memory():
        for _ in range(ROUNDS if n**dimension <= MANY else 1):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
    return {"seconds": min(seconds), "bytes": peak() - before, "batch": batch}


def draw() -> None:
    """Cost and memory per cell over the number of cells per axis."""
    rows = [row for file in sorted(HOME.glob("scale_*d.csv")) for row in read_table(file.name)]
    dimensions = sorted({row["dimension"] for row in rows})
    figure = new_figure(3.2 * len(dimensions))
    for line, dimension in zip(figure.subplots(len(dimensions), 2, squeeze=False), dimensions, strict=True):
        mine = [row for row in rows if row["dimension"] == dimension]
        for ax, column, what, unit in zip(
            line, ("ns_per_cell", "bytes_per_cell"), ("time", "memory"), ("µs", "kB"), strict=True
        ):
            for name, colour in WORKS.items():
                points = [(int(row["points"]), float(row[column]) / 1e3) for row in mine if row["work"] == name]
                ax.plot(*zip(*points, strict=True), "o-", ms=4, lw=1.3, color=colour, label=name)
            style(ax, f"{what} per unknown in {unit}, {dimension}-D", "points per axis", pad=21)
            ax.set_xscale("log", base=2)
            ax.set_yscale("log")
            ax.set_xticks(sorted({int(row["points"]) for row in mine}))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            ax.set_ylim(*((0.05, 10.0) if what == "time" else (0.1, 2.0)))
            ax.set_yticks([0.1, 0.2, 0.5, 1.0, 2.0] + ([0.05, 5.0, 10.0] if what == "time" else []))
            for line_of_ticks in (ax.xaxis, ax.yaxis):
                line_of_ticks.set_minor_formatter(NullFormatter())
            legend_above(ax)
    figure.savefig(HOME.parent / "docs" / "images" / "scale.png", dpi=130)


if __name__ == "__main__":
    main()
