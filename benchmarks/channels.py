"""How fast are matrices on the channels of every point, with the channels first in memory, and last?

    python benchmarks/channels.py [--threads 1 2] [--points 64 128] [--batch 4]        # writes benchmarks/channels.csv

The products that FNO's blocks, its lifting and its projection are made of (operators.mix_channels), alone and with
their gradients, in turns and from the same numbers, in a process set up as by `vcycle train`. The least of several
times counts; GFLOP/s are those of the products, of which a gradient takes two more.
"""

import argparse
from functools import partial

import torch
from torch import Tensor

from machine import write_table
from timing import Timed, in_turns
from vcycle.operators import mix_channels
from vcycle.spaces import channels_last, kept_memory, suit_vectors

SIZES = ((32, 32), (32, 16), (16, 32), (32, 64), (64, 32), (3, 64), (64, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    suit_vectors()
    rows: list[dict[str, object]] = []
    with kept_memory():
        for threads in given.threads:
            torch.set_num_threads(threads)
            for n in given.points:
                for source, target in SIZES:
                    case = {"in": source, "out": target, "points": n, "batch": given.batch, "on_threads": threads}
                    for gradient in (False, True):
                        row = case | {"work": "with gradient" if gradient else "alone"}
                        rows.append(row | measured(source, target, n, given.batch, given.rounds, gradient))
                        print(*rows[-1].values(), sep="\t", flush=True)
    write_table("channels.csv", rows, threads=max(given.threads))


def measured(source: int, target: int, n: int, batch: int, rounds: int, gradient: bool) -> dict[str, object]:
    """Milliseconds either way, and how many times faster the second is."""
    M, bias = torch.randn(target, source, requires_grad=True), torch.randn(target, requires_grad=True)
    u, g = torch.randn(batch, source, n, n), torch.randn(batch, target, n, n)
    work = differentiated if gradient else alone
    first = Timed(partial(work, M, bias, u.requires_grad_(), g))
    last = Timed(partial(work, M, bias, channels_last(u.detach()).requires_grad_(), channels_last(g)))
    in_turns([first, last], rounds)
    for a, b in zip(first.result, last.result, strict=True):
        assert float((a - b).norm() / a.norm()) < 1e-4, "the two differ"
    operations = (6 if gradient else 2) * source * target * batch * n**2
    row: dict[str, object] = {"first_ms": f"{1e3 * first.seconds:.2f}", "last_ms": f"{1e3 * last.seconds:.2f}"}
    row |= {"first_GFLOP_per_s": f"{operations / first.seconds / 1e9:.0f}"}
    row |= {"last_GFLOP_per_s": f"{operations / last.seconds / 1e9:.0f}"}
    return {**row, "times_faster": f"{first.seconds / last.seconds:.2f}"}


@torch.no_grad()
def alone(M: Tensor, bias: Tensor, u: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    del g
    return (mix_channels(M, u, bias),)


def differentiated(M: Tensor, bias: Tensor, u: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(mix_channels(M, u, bias), (M, bias, u), g)


if __name__ == "__main__":
    main()
