"""How fast is everything on a GPU: against the usual forms, against the processor beside it, and against its limits?

    python benchmarks/gpu.py [--device cuda] [--points 64 128 256] [--batch 16] [--parts ceilings rivals work data]

ceilings   the rate of a large matrix product in every precision, and the bandwidth of a triad
rivals     forward and backward in single precision beside the same arithmetic in its usual form (speed.py, whose rival
           is needed for this script), both as torch comes and compiled by torch.compile
work       training steps, predictions, solutions to 1e-8 with their proof, and bounds, with operations and bytes as
           limits.py counts them; solving and bounding on the processor beside it, with all its cores
data       1,200 samples of Darcy flow, from the command to verified files, on the device and on all cores

Every time is the least of several, taken when the device has finished. `device cpu` runs the same for a test of the
script. Writes benchmarks/gpu.csv; parts that are not asked for keep their rows.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

import vcycle
from limits import ENTRIES, Traffic, apply, step
from machine import update_table
from speed import disagreement, pair
from vcycle.hybrid import energy_bound, solve_to_tolerance
from vcycle.networks import build
from vcycle.problems import Darcy

ROUNDS, SIDE, TOLERANCE = 5, 8192, 1e-5
PRECISIONS = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}
Row = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--samples", type=int, default=1200)
    parser.add_argument("--side", type=int, default=SIDE, help="of the matrices whose product is timed")
    parser.add_argument("--parts", nargs="+", default=["ceilings", "rivals", "work", "data"])
    given = parser.parse_args()
    device = torch.device(given.device)
    parts: dict[str, Callable[[], list[Row]]] = {
        "ceilings": partial(ceilings, device, given.side),
        "rivals": lambda: [row for n in given.points for row in rivals(device, n, given.batch)],
        "work": lambda: [row for n in given.points for row in works(device, n, given.batch)],
        "data": partial(data, device, given.samples),
    }
    for part in given.parts:
        rows = [{"part": part, **COLUMNS, **row} for row in parts[part]()]
        key = ("part", "work", "size", "batch")
        update_table("gpu.csv", rows, key=key, threads=torch.get_num_threads())


COLUMNS: Row = dict.fromkeys(
    ("work", "size", "batch", "ms", "beside", "beside_ms", "times_faster", "difference", "GFLOP_per_s", "GB_per_s"), ""
)


def said(row: Row) -> Row:
    print(*row.values(), sep="\t", flush=True)
    return row


def ceilings(device: torch.device, side: int) -> list[Row]:
    rows = []
    for name, dtype in PRECISIONS.items():
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        seconds = least(device, partial(torch.matmul, a, b))
        rows.append(said({"work": f"product {name}", "size": side, "GFLOP_per_s": f"{2e-9 * side**3 / seconds:.0f}"}))
    y, z, out = (torch.zeros(8 * ENTRIES if device.type == "cuda" else ENTRIES, device=device) for _ in range(3))
    seconds = least(device, partial(torch.add, y, z, alpha=3.0, out=out))
    rate = f"{1e-9 * 3 * y.nbytes / seconds:.0f}"
    return [*rows, said({"work": "triad float32", "size": len(y), "GB_per_s": rate})]


def rivals(device: torch.device, n: int, batch: int) -> list[Row]:
    """Both forms of a step, and ours compiled; all agree."""
    rows = []
    for what in ("spectral layer", "FNO", "MgNO"):
        ours, theirs, x = pair(what, n)
        ours, theirs = ours.to(device), theirs.to(device)
        x = torch.randn(batch, *x.shape[1:], device=device)
        difference = disagreement(ours, theirs, x)
        if difference > TOLERANCE:
            raise ValueError(f"{what} at {n}: the two differ by {difference:.1e}, expected {TOLERANCE} or less")
        compiled = {"": (ours, theirs), ", compiled": (torch.compile(ours), torch.compile(theirs))}
        for how, (one, other) in compiled.items():
            times = [least(device, partial(step, network, x)) for network in (one, other)]
            found = {"ms": f"{1e3 * times[0]:.2f}", "beside": "usual form", "beside_ms": f"{1e3 * times[1]:.2f}"}
            found |= {"times_faster": f"{times[1] / times[0]:.2f}", "difference": f"{difference:.0e}"}
            rows.append(said({"work": what + how, "size": n, "batch": batch, **found}))
    return rows


def works(device: torch.device, n: int, batch: int) -> list[Row]:
    problem, rows = Darcy(), []
    a = problem.sample((n, n), 0, range(batch))
    v = problem.solve(a, 1e-2).value
    there, given = a.to(device), v.to(device)
    for name in ("mgno", "fno"):
        network = build({"name": name, "resolution": n} if name == "mgno" else {"name": name}, 1, 1, problem.domain)
        network, x = network.to(device), there.float()
        rows.append(counted(device, f"{name}: training step", n, batch, partial(step, network, x)))
        rows.append(counted(device, f"{name}: prediction", n, batch, partial(apply, network, x)))
    solving, bounding = partial(solve_to_tolerance, None, tolerance=1e-8), energy_bound
    solved = counted(device, "solve to 1e-8", n, batch, lambda: solving(there))
    bounded = counted(device, "guaranteed bound", n, batch, lambda: bounding(given, there))
    difference = (solving(there).value.cpu() - solving(a).value).norm() / v.norm()
    rows.append(beside(solved, lambda: solving(a), f"{float(difference):.0e}"))
    difference = (bounding(given, there).value.cpu() / bounding(v, a).value - 1).abs().max()
    return [*rows, beside(bounded, lambda: bounding(v, a), f"{float(difference):.0e}")]


def counted(device: torch.device, what: str, n: int, batch: int, work: Callable[[], object]) -> Row:
    """Time, and the rates of operations and of bytes that are read and written where no cache helps."""
    with FlopCounterMode(display=False) as products, Traffic() as traffic:
        work()
    seconds = least(device, work)
    operations = products.get_total_flops() + traffic.entries
    found = {"GFLOP_per_s": f"{1e-9 * operations / seconds:.0f}", "GB_per_s": f"{1e-9 * traffic.bytes / seconds:.0f}"}
    return said({"work": what, "size": n, "batch": batch, "ms": f"{1e3 * seconds:.2f}", **found})


def beside(row: Row, work: Callable[[], object], difference: str) -> Row:
    """The same on the processor."""
    seconds = least(torch.device("cpu"), work)
    ratio = 1e3 * seconds / float(str(row["ms"]))
    found = {"beside": "processor", "beside_ms": f"{1e3 * seconds:.2f}", "times_faster": f"{ratio:.2f}"}
    return said({**row, **found, "difference": difference})


def data(device: torch.device, samples: int) -> list[Row]:
    seconds = {}
    for name, options in {"here": {"accelerator": device.type}, "processor": {}}.items():
        taken = []
        for _ in range(2):  # the first call warms up
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                vcycle.generate(Darcy(), samples, 64, 0, Path(folder) / "data", progress=False, **options)
                taken.append(time.perf_counter() - began)
        seconds[name] = min(taken)
    found = {
        "ms": f"{1e3 * seconds['here']:.0f}",
        "beside": "processor",
        "beside_ms": f"{1e3 * seconds['processor']:.0f}",
    }
    ratio = f"{seconds['processor'] / seconds['here']:.2f}"
    return [said({"work": "generate", "size": 64, "batch": samples, **found, "times_faster": ratio})]


def least(device: torch.device, work: Callable[[], object]) -> float:
    """Seconds, the least of several calls after two that warm up."""
    best = float("inf")
    for turn in range(2 + ROUNDS):
        finished(device)
        began = time.perf_counter()
        work()
        finished(device)
        if turn > 1:
            best = min(best, time.perf_counter() - began)
    return best


def finished(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
