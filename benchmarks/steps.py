"""What does a training step cost in time and memory: as torch does it, and in three other ways?

    python benchmarks/steps.py [--networks mgno fno] [--points 64 128 256 512] [--compile] # writes benchmarks/steps.csv

A step is forward and backward of the network as it comes on a batch of four samples, one thread.

plain        as torch does it
kept         memory that a step frees stays with the process (training.kept_memory), as in `vcycle train`
recomputed   layers hold their inputs only (training.recompute), as in `vcycle train --recompute true`
compiled     kept, and the network through torch.compile, with --compile only: that takes minutes

Every way is a process of its own; they take turns, and the least processor time of each counts. Memory is what steps
add to the process at its largest (as Linux says). Sizes and networks that are not asked for keep their rows.
"""

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack

import torch

from machine import forget_peak, peak, update_table
from vcycle.networks import build
from vcycle.spaces import Domain
from vcycle.training.kept_memory import kept_memory
from vcycle.training.recompute import recomputed

WAYS, BATCH = ("plain", "kept", "recomputed", "compiled"), 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["mgno", "fno"])
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
        for name in given.networks:
            rows = in_turns(name, n, WAYS if given.compile else WAYS[:-1], given.repeats)
            update_table("steps.csv", rows, key=("network", "resolution"), threads=1)


def in_turns(name: str, n: int, ways: tuple[str, ...], repeats: int) -> list[dict[str, object]]:
    """The rows of one network at one size."""
    command = [sys.executable, __file__, "--one", name, str(n)]
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with ExitStack() as opened:
        servers = {way: opened.enter_context(subprocess.Popen([*command, way], **pipe)) for way in ways}
        least = dict.fromkeys(ways, float("inf"))
        for _ in range(repeats):
            for way, server in servers.items():
                least[way] = min(least[way], ask(server)["seconds"])
        rows = []
        for way, server in servers.items():
            row = {"network": name, "resolution": n, "batch": BATCH, "way": way, "ms": f"{1e3 * least[way]:.1f}"}
            row |= {"MB": f"{ask(server)['bytes'] / 1e6:.0f}", "times_faster": f"{least['plain'] / least[way]:.2f}"}
            rows.append(row)
            print(*row.values(), sep="\t", flush=True)
            server.stdin.close()
    return rows


def ask(server: subprocess.Popen) -> dict[str, float]:
    server.stdin.write("\n")
    return json.loads(server.stdout.readline())


def serve(name: str, n: int, way: str) -> None:
    """A step for every line that comes in; a line goes out, with its seconds and the largest memory so far."""
    torch.manual_seed(0)
    network = build({"name": name, "resolution": n} if name == "mgno" else {"name": name}, 1, 1, Domain.unit(2))
    x = torch.randn(BATCH, 1, n, n)
    with ExitStack() as opened:
        if way in ("kept", "compiled"):
            opened.enter_context(kept_memory())
        if way == "recomputed":
            opened.enter_context(recomputed(network))
        called = torch.compile(network) if way == "compiled" else network
        before = forget_peak()
        called(x).square().mean().backward()
        for _ in sys.stdin:
            began = time.process_time()
            network.zero_grad()
            called(x).square().mean().backward()
            print(json.dumps({"seconds": time.process_time() - began, "bytes": peak() - before}), flush=True)


if __name__ == "__main__":
    main()
