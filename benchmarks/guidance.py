"""Are labels better spent where the bound is worst? The same network from ordinary and from guided samples.

    python benchmarks/guidance.py [--contrasts 100] [--seeds 0 1] [--steps 300]

Darcy flow with two materials, 32 x 32. `ordinary`: so many labels of a stream. `guided`: the first half of these, and
as many more chosen by the bound of the network that the first half taught, the worst of a pool (vcycle generate
--guide). Both are trained anew for equally many steps, and choose their weights on the same further labels; the seed is
that of data and network. Tested on 256 samples of another seed. Runs are kept in runs/guidance, so that an interrupted
comparison goes on where it was. Writes benchmarks/guidance.csv.
"""

import argparse
import json
from pathlib import Path

import torch

import vcycle
from machine import stamped, write_table
from training import train_whole
from vcycle.problems import Darcy, TwoPhase
from vcycle.spaces import L2

RUNS, ROW = Path("runs") / "guidance", "row.json"
NETWORK = {"name": "mgno", "width": 16, "depth": 3, "levels": 4}
OPTIONS = {"optimizer": {"lr": 2e-3}, "validate_every": 50, "select": "h1", "loss": "energy", "accelerator": "cpu"}
POINTS, TEST, TEST_SEED, VALIDATION, POOL = 32, 256, 1000, 32, 2048
LABELS = (64, 128, 256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contrasts", nargs="+", default=["100"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for contrast in given.contrasts:
        for seed in given.seeds:
            for labels in LABELS:
                for samples in ("ordinary", "guided") if labels > LABELS[0] else ("ordinary",):
                    print(*run(contrast, seed, labels, samples, given.steps).values(), sep="\t", flush=True)
    rows = [json.loads(file.read_text()) for file in RUNS.glob(f"run-*/{ROW}")]
    rows.sort(key=lambda row: (float(row["contrast"]), row["labels"], row["samples"], row["seed"]))
    write_table("guidance.csv", rows, threads=1)


def run(contrast: str, seed: int, labels: int, samples: str, steps: int) -> dict[str, object]:
    """Train on so many labels and test, unless that has been done."""
    folder = folder_of(contrast, seed, labels, samples, steps)
    if (folder / ROW).exists():
        return json.loads((folder / ROW).read_text())
    problem = Darcy(prior=TwoPhase(1.0, float(contrast)))
    half = labels // 2
    guide = {
        "path": str(folder_of(contrast, seed, half, "ordinary", steps)),
        "pool": POOL,
        "share": half / (labels + VALIDATION),
    }
    data = RUNS / f"data-{contrast}-{seed}-{labels}-{samples}"
    splits = {"train": labels, "validation": VALIDATION}
    chosen = {"guide": guide} if samples == "guided" else {}
    vcycle.generate(problem, labels + VALIDATION, POINTS, seed, data, splits=splits, progress=False, **chosen)
    train_whole(network=NETWORK, data=str(data), steps=steps, seed=seed, threads=1, out=str(folder), **OPTIONS)
    inputs = problem.sample((POINTS, POINTS), TEST_SEED, range(TEST))
    u, v = problem.solve(inputs).value, vcycle.load(folder).apply(inputs)
    errors = {"l2": L2(problem.domain).relative(v, u), "energy": problem.energy_norm(inputs).relative(v, u)}
    row: dict[str, object] = {"contrast": contrast, "labels": labels, "samples": samples, "seed": seed, "steps": steps}
    for name, error in errors.items():
        figures = {"mean": error.mean(), "q95": error.quantile(0.95), "largest": error.max()}
        row |= {f"{figure}_{name}": f"{float(value):.4f}" for figure, value in figures.items()}
    (folder / ROW).write_text(json.dumps(stamped(row, 1)))
    return row


def folder_of(contrast: str, seed: int, labels: int, samples: str, steps: int) -> Path:
    return RUNS / f"run-{contrast}-{seed}-{labels}-{samples}-{steps}"


if __name__ == "__main__":
    main()
