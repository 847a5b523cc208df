"""What does a training step or a solve cost in time and memory: as torch does it, and in other ways?

    python benchmarks/steps.py [--works mgno fno solve] [--points 64 128 256 512] [--compile]

A step is forward and backward of the network as it comes on a batch of four samples; a solve is that of 16 Darcy
systems of contrast 4 to 1e-8. One thread. Writes benchmarks/steps.csv.

plain        as torch does it
kept         memory that a step frees stays with the process (spaces.kept_memory), as in every verb of vcycle
recomputed   layers hold their inputs only (training.recompute), as in `vcycle train --recompute true`
compiled     kept, and the network through torch.compile, with --compile only: that takes minutes

Every way is a process of its own; they take turns, and the least processor time of each counts. Memory is what steps
add to the process at its largest (as Linux says). Sizes and works that are not asked for keep their rows.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import torch

from machine import forget_peak, peak, update_table
from vcycle.networks import build
from vcycle.problems import Darcy
from vcycle.spaces import Domain, kept_memory
from vcycle.training.recompute import recomputed

WAYS, BATCH = ("plain", "kept", "recomputed", "compiled"), {"mgno": 4, "fno": 4, "solve": 16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", nargs="+", choices=BATCH, default=list(BATCH))
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.one is not None:
        serve(given.one[0], int(given.one[1]), given.one[2])
        return
    for n in given.points:
        for what in given.works:
            ways = WAYS[:2] if what == "solve" else WAYS if given.compile else WAYS[:-1]
            update_table("steps.csv", in_turns(what, n, ways, given.repeats), key=("work", "resolution"), threads=1)


def in_turns(what: str, n: int, ways: tuple[str, ...], repeats: int) -> list[dict[str, object]]:
    """The rows of one work at one size."""
    command = [sys.executable, __file__, "--one", what, str(n)]
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with ExitStack() as opened:
        servers = {way: opened.enter_context(subprocess.Popen([*command, way], **pipe)) for way in ways}
        least = dict.fromkeys(ways, float("inf"))
        for _ in range(repeats):
            for way, server in servers.items():
                least[way] = min(least[way], ask(server)["seconds"])
        rows = []
        for way, server in servers.items():
            row = {"work": what, "resolution": n, "batch": BATCH[what], "way": way, "ms": f"{1e3 * least[way]:.1f}"}
            row |= {"MB": f"{ask(server)['bytes'] / 1e6:.0f}", "times_faster": f"{least['plain'] / least[way]:.2f}"}
            rows.append(row)
            print(*row.values(), sep="\t", flush=True)
            server.stdin.close()
    return rows


def ask(server: subprocess.Popen) -> dict[str, float]:
    server.stdin.write("\n")
    return json.loads(server.stdout.readline())


def serve(what: str, n: int, way: str) -> None:
    """A step or a solve for every line that comes in; a line goes out, with seconds and the largest memory so far."""
    with ExitStack() as opened:
        if way in ("kept", "compiled"):
            opened.enter_context(kept_memory())
        work = solve_of(n) if what == "solve" else step_of(what, n, way, opened)
        before = forget_peak()
        work()
        for _ in sys.stdin:
            began = time.process_time()
            work()
            print(json.dumps({"seconds": time.process_time() - began, "bytes": peak() - before}), flush=True)


def solve_of(n: int) -> Callable[[], object]:
    problem = Darcy()
    a = problem.sample((n, n), 5, range(BATCH["solve"]))
    return partial(problem.solve, a, 1e-8)


def step_of(name: str, n: int, way: str, opened: ExitStack) -> Callable[[], None]:
    torch.manual_seed(0)
    network = build({"name": name, "resolution": n} if name == "mgno" else {"name": name}, 1, 1, Domain.unit(2))
    x = torch.randn(BATCH[name], 1, n, n)
    if way == "recomputed":
        opened.enter_context(recomputed(network))
    called = torch.compile(network) if way == "compiled" else network

    def step() -> None:
        network.zero_grad()
        called(x).square().mean().backward()

    return step


if __name__ == "__main__":
    main()
