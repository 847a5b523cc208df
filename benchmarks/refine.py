"""Does fitting the last layer to the equation pay? Errors of predicted flow before and after refinement.

    python benchmarks/refine.py [--train 64] [--test 4] [--steps 300] [--refine 100] [--threads 1]

Navier-Stokes, 32 x 32, five snapshots in, ten out. An SFNO is trained for a minute, then for every test sample its
last layer alone is refined, without labels, by the residual of the predicted trajectory in L2 and in H^-1; with as many
modes as in training, or with all that the grid carries. Writes benchmarks/refine.csv.
"""

import argparse
import time

import torch

from machine import write_table
from vcycle.hybrid import ResidualNorm, refine
from vcycle.networks import SFNO, Normalised
from vcycle.problems import NavierStokes, vorticity
from vcycle.spaces import H1, L2, HMinus1

POINTS = (32, 32)
PROBLEM = NavierStokes(time=5.0, history=5, snapshots=10)
ALL_MODES = (12, *POINTS)  # the window of ten instants is padded by two


def residual(w: torch.Tensor) -> torch.Tensor:
    force = PROBLEM.force(POINTS).to(w)
    return vorticity.residual(w, PROBLEM.interval, PROBLEM.viscosity, force, PROBLEM.domain)


def trained(a: torch.Tensor, w: torch.Tensor, steps: int) -> Normalised:
    torch.manual_seed(0)
    network = Normalised.fit(SFNO(PROBLEM.history, PROBLEM.snapshots, domain=PROBLEM.domain), a, w)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(a), (4,))
        loss = L2(PROBLEM.domain).relative(network(a[batch]), w[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=64)
    parser.add_argument("--test", type=int, default=4)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--refine", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    a = PROBLEM.sample(POINTS, 1, range(given.train + given.test))
    w = PROBLEM.solve(a).value.float()
    a = a.float()
    began = time.process_time()
    network = trained(a[: given.train], w[: given.train], given.steps)
    minutes = (time.process_time() - began) / 60
    a, w, domain = a[given.train :], w[given.train :], PROBLEM.domain
    wide = Normalised(network.network.with_output_modes(ALL_MODES), network.encode, network.decode)
    norms = {"L2": L2(domain), "H^-1": HMinus1(domain, exact=True)}
    rows = []
    for modes, start in (("kept", network), ("all", wide)):
        for name, norm in norms.items():
            began = time.process_time()
            functional = ResidualNorm(residual, norm, PROBLEM.interval)
            refined = refine(start, a, functional, "network.head", steps=given.refine)
            seconds = (time.process_time() - began) / len(a)
            v = start(a).detach()
            rows.append(
                {
                    "residual_norm": name,
                    "modes": modes,
                    "steps": given.refine,
                    "l2_before": f"{float(L2(domain).relative(v, w).mean()):.4f}",
                    "l2_after": f"{float(L2(domain).relative(refined.value, w).mean()):.4f}",
                    "h1_before": f"{float(H1(domain).relative(v, w).mean()):.4f}",
                    "h1_after": f"{float(H1(domain).relative(refined.value, w).mean()):.4f}",
                    "residual_before": f"{float(refined.history[0].mean()):.2e}",
                    "residual_after": f"{float(refined.history.amin(0).mean()):.2e}",
                    "residual_of_labels": f"{float(functional(w, a).mean()):.2e}",
                    "cpu_seconds_per_sample": f"{seconds:.1f}",
                    "cpu_minutes_of_training": f"{minutes:.1f}",
                }
            )
            print(rows[-1], flush=True)
    write_table("refine.csv", rows, threads=given.threads)


if __name__ == "__main__":
    main()
