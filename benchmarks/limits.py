"""How far from the machine's limits are training, predicting, solving and bounding?

    python benchmarks/limits.py [--points 64 128 256] [--batch 8]        # writes benchmarks/limits.csv

First the ceilings: the rate of a large matrix product and the bandwidth of a triad x = y + s z over arrays far larger
than the caches, in single and double precision. Then, for every kind of work, its floating-point operations (torch's
count for products and convolutions, one per entry for what is computed point by point), the bytes that its operations
read and write if no cache helps, and the least of several times, in a process set up as by `vcycle train`. `limit` is
the time that the machine would need at its ceilings, the larger of operations / rate and bytes / bandwidth, over the
time taken: 1 is the limit for operations carried out one by one, and above 1 caches have helped.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from machine import write_table
from timing import Timed, in_turns
from vcycle.hybrid import energy_bound, solve_to_tolerance
from vcycle.networks import align_weights, build
from vcycle.problems import Darcy
from vcycle.spaces import kept_memory, suit_vectors

ROUNDS, SIDE, ENTRIES = 4, 2048, 2**25


class Traffic(TorchDispatchMode):
    """Bytes read and written by every operation that is no view, and an operation per entry computed."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.entries, self.width = 0, 0, {torch.float32: 0, torch.float64: 0}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            read, written = tensors((args, kwargs)), tensors(out)
            self.bytes += sum(t.numel() * t.element_size() for t in (*read, *written))
            self.entries += sum(t.numel() for t in written)
            for t in written:
                if t.dtype in self.width:
                    self.width[t.dtype] += t.numel()
        return out


def tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    suit_vectors()
    rates = {dtype: product_rate(dtype) for dtype in (torch.float32, torch.float64)}
    bandwidth = triad()
    rows: list[dict[str, object]] = []
    for name, rate in rates.items():
        rows.append(row(f"matrix product, {name}".replace("torch.", ""), SIDE, rate=rate))
    rows.append(row("triad, float32", ENTRIES, bandwidth=bandwidth))
    with kept_memory():
        for n in given.points:
            for what, work in works(n, given.batch).items():
                rows.append(measured(what, n, given.batch, work, rates, bandwidth))
                print(*rows[-1].values(), sep="\t", flush=True)
    write_table("limits.csv", rows, threads=given.threads)


def works(n: int, batch: int) -> dict[str, Callable[[], object]]:
    problem = Darcy()
    a = problem.sample((n, n), 0, range(batch))
    v = problem.solve(a, 1e-2).value
    found: dict[str, Callable[[], object]] = {}
    for name in ("mgno", "fno"):
        options = {"name": name, "resolution": n} if name == "mgno" else {"name": name}
        network = build(options, 1, 1, problem.domain)
        align_weights(network)
        found[f"{name}: training step"] = partial(step, network, a.float())
        found[f"{name}: prediction"] = partial(apply, network, a.float())
    found["solve to 1e-8"] = lambda: solve_to_tolerance(None, a, tolerance=1e-8)
    found["guaranteed bound"] = lambda: energy_bound(v, a)
    return found


def step(network: nn.Module, x: Tensor) -> None:
    network.zero_grad()
    network(x).square().mean().backward()


@torch.no_grad()
def apply(network: nn.Module, x: Tensor) -> Tensor:
    return network(x)


def measured(
    what: str, n: int, batch: int, work: Callable[[], object], rates: dict[torch.dtype, float], bandwidth: float
) -> dict[str, object]:
    with FlopCounterMode(display=False) as products, Traffic() as traffic:
        work()
    operations = products.get_total_flops() + traffic.entries
    single = traffic.width[torch.float32] >= traffic.width[torch.float64]
    rate = rates[torch.float32 if single else torch.float64]
    seconds = least(work)
    fastest = max(operations / rate, traffic.bytes / bandwidth)
    return row(
        what,
        n,
        batch=batch,
        seconds=seconds,
        operations=operations,
        bytes=traffic.bytes,
        rate=operations / seconds,
        bandwidth=traffic.bytes / seconds,
        bound_by="operations" if operations / rate > traffic.bytes / bandwidth else "memory",
        limit=fastest / seconds,
    )


def row(what: str, n: int, **numbers: Any) -> dict[str, object]:
    """Rates in units of 1e9 a second."""
    columns = {
        "batch": ("batch", 1),
        "seconds": ("ms", 1e-3),
        "operations": ("GFLOP", 1e9),
        "bytes": ("GB", 1e9),
        "rate": ("GFLOP_per_s", 1e9),
        "bandwidth": ("GB_per_s", 1e9),
        "bound_by": ("bound_by", 1),
        "limit": ("limit", 1),
    }
    out: dict[str, object] = {"work": what, "size": n}
    for key, (name, unit) in columns.items():
        value = numbers.get(key, "")
        out[name] = f"{value / unit:.4g}" if isinstance(value, float | int) else value
    return out


def product_rate(dtype: torch.dtype) -> float:
    a, b = torch.randn(SIDE, SIDE, dtype=dtype), torch.randn(SIDE, SIDE, dtype=dtype)
    return 2 * SIDE**3 / least(lambda: a @ b)


def triad() -> float:
    y, z, out = (torch.zeros(ENTRIES) for _ in range(3))
    return 3 * 4 * ENTRIES / least(lambda: torch.add(y, z, alpha=3.0, out=out))


def least(work: Callable[[], object]) -> float:
    """Seconds, the best of several rounds."""
    timed = Timed(work)
    in_turns([timed], ROUNDS)
    return timed.seconds


if __name__ == "__main__":
    main()
