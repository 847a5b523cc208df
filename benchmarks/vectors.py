"""Which vectors suit convolutions on this processor, those of 16 numbers or those of 8?

    python benchmarks/vectors.py [--threads 1 2] [--points 64] [--batch 8]        # writes benchmarks/vectors.csv

A training step (forward and backward) of every network with its defaults, in two processes that take turns: oneDNN with
all it finds, and limited to AVX2, as spaces.suit_vectors does on processors that take 512 bits in two halves. Freed
memory stays with both, as in `vcycle train`. Above 1, `gain` says how much faster the short vectors are.
"""

import argparse
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from machine import update_table
from timing import Apart, in_turns
from vcycle.networks import NETWORKS, StencilNetwork, align_weights, build
from vcycle.spaces import Domain, kept_memory
from vcycle.spaces.vectors import VARIABLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=4)
    given = parser.parse_args()
    for threads in given.threads:
        rows: list[dict[str, object]] = []
        for name in given.networks:
            wide, short = (Apart(work, isa, name, given.points, given.batch, threads) for isa in ("DEFAULT", "AVX2"))
            in_turns([wide, short], given.repeats)
            wide.end()
            short.end()
            row = {"network": name, "points": given.points, "batch": given.batch, "threads": threads}
            row |= {"wide_ms": f"{1e3 * wide.seconds:.1f}", "short_ms": f"{1e3 * short.seconds:.1f}"}
            rows.append({**row, "gain": f"{wide.seconds / short.seconds:.2f}"})
            print(*rows[-1].values(), sep="\t", flush=True)
        update_table("vectors.csv", rows, key=("network", "points", "threads"), threads=threads)


@contextmanager
def work(isa: str, name: str, n: int, batch: int, threads: int) -> Generator[Callable[[], None]]:
    os.environ[VARIABLE] = isa
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    options = {"name": name, "resolution": n} if issubclass(NETWORKS[name], StencilNetwork) else {"name": name}
    network = build(options, 1, 1, Domain.unit(2))
    align_weights(network)
    with kept_memory():
        yield partial(step, network, torch.rand(batch, 1, n, n))


def step(network: nn.Module, x: Tensor) -> None:
    network.zero_grad()
    network(x).square().mean().backward()


if __name__ == "__main__":
    main()
