"""What does torch.compile save in a training step, and what does it cost?

    python benchmarks/compiled.py [--points 64 128] [--networks fno unet] [--threads 1 2]   # writes compiled.csv

Every network with its defaults takes steps (forward and backward) on batches of eight coefficients of Darcy's problem,
as it stands and as `vcycle train --compile true` calls it, in turns in one process set up as for training; the least of
several times counts. `compile_s` is what the first compiled step takes beyond a usual one, with an empty cache of
compiled code; `pays_after` is how many steps make up for it. `difference` is the relative one of the gradients.
"""

import argparse
import os
import tempfile
import time
from functools import partial

import torch
from torch import Tensor, nn

from machine import update_table
from timing import Timed, in_turns
from vcycle.networks import NETWORKS, align_weights, build
from vcycle.problems import Darcy
from vcycle.spaces import kept_memory, suit_vectors
from vcycle.training.compilation import compiled

BATCH, ROUNDS, TOLERANCE = 8, 8, 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    given = parser.parse_args()
    suit_vectors()
    for threads in given.threads:
        torch.set_num_threads(threads)
        for n in given.points:
            for name in given.networks:
                row = {"network": name, "points": n, "threads": threads, **measured(name, n)}
                print(*row.values(), sep="\t", flush=True)
                update_table("compiled.csv", [row], key=("network", "points", "threads"), threads=threads)


def measured(name: str, n: int) -> dict[str, object]:
    problem = Darcy()
    x = problem.sample((n, n), 0, range(BATCH)).float()
    torch.manual_seed(0)
    network = build({"name": name, "resolution": n} if name == "mgno" else {"name": name}, 1, 1, problem.domain)
    align_weights(network)
    torch.compiler.reset()
    with kept_memory(), tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        called = compiled(network, x.device)
        usual = gradients(network, network, x)
        start = time.perf_counter()
        found = gradients(network, called, x)
        compile_s = time.perf_counter() - start
        difference = float((found - usual).norm() / usual.norm())
        if difference > TOLERANCE:
            raise ValueError(f"{name}: gradients differ by {difference:.1e}, expected {TOLERANCE} or less")
        works = {"usual_ms": network, "compiled_ms": called}
        timed = {key: Timed(partial(gradients, network, network_called, x)) for key, network_called in works.items()}
        in_turns(timed.values(), ROUNDS)
    least = {key: work.seconds for key, work in timed.items()}
    saved = least["usual_ms"] - least["compiled_ms"]
    return {
        "batch": BATCH,
        **{key: f"{1e3 * seconds:.1f}" for key, seconds in least.items()},
        "saved_percent": f"{100 * saved / least['usual_ms']:.0f}",
        "compile_s": f"{compile_s:.0f}",
        "pays_after": f"{compile_s / saved:.0f}" if saved > 0 else "",
        "difference": f"{difference:.0e}",
    }


def gradients(network: nn.Module, called: nn.Module, x: Tensor) -> Tensor:
    network.zero_grad()
    called(x).square().mean().backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


if __name__ == "__main__":
    main()
