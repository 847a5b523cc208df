"""One training resolution, three test resolutions: what becomes of the error on grids twice and four times as fine?

    python benchmarks/transfer.py [--resolutions 32 64] [--labels 1024] [--steps 2000] [--threads 2]

Darcy flow, 12 and 3. Every network is trained at one resolution and tested on 64 other functions there and at 2 and 4
times the resolution, against the solutions on those grids. What an exact solver on the training grid makes of averaged
coefficients, interpolated, is the least error that a network trained there can be expected to have elsewhere.
Writes benchmarks/transfer.csv.
"""

import argparse
import time
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from machine import write_table
from vcycle.networks import FNO, MgNO, Normalised
from vcycle.networks.reference_grid import ReferenceGrid
from vcycle.operators import count_parameters
from vcycle.problems import Darcy
from vcycle.spaces import L2

PROBLEM = Darcy()
NORM = L2(PROBLEM.domain)
Field = Float[Tensor, "b c *grid"]


def pairs(resolution: int, seed: int, count: int) -> tuple[Field, Field]:
    a = PROBLEM.sample((resolution,) * 2, seed, range(count))
    u = torch.cat([PROBLEM.solve(part, tolerance=1e-8).value for part in a.split(128)])
    return a.float(), u.float()


def trained(network: torch.nn.Module, a: Field, u: Field, steps: int) -> Normalised:
    normalised = Normalised.fit(network, a, u, log=[True])
    optimizer = torch.optim.Adam(normalised.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(0, len(a), (8,))
        loss = NORM.relative(normalised(a[batch]), u[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return normalised.eval()


@torch.no_grad()
def errors(predict: Callable[[Field], Field], tests: list[tuple[Field, Field]]) -> dict[str, object]:
    means = [float(NORM.relative(predict(a), u).mean()) for a, u in tests]
    return {f"error_{2**k}x": f"{mean:.4f}" for k, mean in enumerate(means)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", nargs="+", type=int, default=[32, 64])
    parser.add_argument("--labels", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = [row for n in given.resolutions for row in measure(n, given.labels, given.steps)]
    write_table("transfer.csv", rows, threads=given.threads)


def measure(n: int, labels: int, steps: int) -> list[dict[str, object]]:
    """The rows of one training resolution."""
    size = {"width": 8, "depth": 3}
    a, u = pairs(n, 1, labels)
    tests = [pairs(n * factor, 2, 64) for factor in (1, 2, 4)]
    networks: dict[str, Callable[[], torch.nn.Module]] = {
        f"MgNO, resolution={n}": lambda: MgNO(1, 1, **size, resolution=n),
        f"MgNO, resolution={n // 2}": lambda: MgNO(1, 1, **size, resolution=n // 2),
        "FNO": lambda: FNO(1, 1, width=16, depth=3, modes=12),
    }
    grid = ReferenceGrid(PROBLEM.domain, (n, n))

    def solver(a: Field) -> Field:
        coarse = PROBLEM.solve(grid.restrict(a.double().log()).exp()).value
        return grid.prolong(coarse, tuple(a.shape[2:])).float()

    rows: list[dict[str, object]] = []

    def add(name: str, predict: Callable[[Field], Field], parameters: int, minutes: float) -> None:
        cost = {"parameters": parameters, "cpu_minutes": f"{minutes:.1f}"}
        setting = {"resolution": n, "labels": labels, "steps": steps}
        rows.append({**setting, "network": name, **errors(predict, tests), **cost})
        print(rows[-1], flush=True)

    for name, build in networks.items():
        torch.manual_seed(0)
        began = time.process_time()
        network = trained(build(), a, u, steps)
        cost = count_parameters(network), (time.process_time() - began) / 60
        add(name, network, *cost)
        if name == f"MgNO, resolution={n}":
            # At the training resolution both are one network, so one training serves both.
            bare = MgNO(1, 1, **size, levels=network.network.levels)
            bare.load_state_dict(network.network.state_dict())
            add(
                "MgNO, same stencils on every grid", Normalised(bare, network.encode, network.decode, log=[True]), *cost
            )
    add("exact solver on the training grid", solver, 0, 0.0)
    return rows


if __name__ == "__main__":
    main()
