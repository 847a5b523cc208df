"""How long does a data set take? Generation from the command to verified shards on disk, samples per second.

    python benchmarks/generation.py [--samples 1200] [--resolution 64]

One worker and two, three rounds each, interleaved; the median counts and includes starting the processes, solving,
checking every residual, comparing every 64th sample with the direct solver and a coarser grid, writing and checksums.
Writes benchmarks/generation.csv.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import torch

import vcycle
from machine import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1200)
    parser.add_argument("--resolution", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(1)
    problem, times = vcycle.problems.Darcy(), {1: [], 2: []}
    worst = 0.0
    for repeat in range(3):
        for workers, seconds in times.items():
            folder = Path(tempfile.mkdtemp())
            began = time.perf_counter()
            data = vcycle.generate(
                problem, given.samples, given.resolution, repeat, folder / "data", workers=workers, progress=False
            )
            seconds.append(time.perf_counter() - began)
            worst = max(worst, data.manifest.verification.residual_worst)
            shutil.rmtree(folder)
    rows = [
        {
            "problem": problem.name,
            "samples": given.samples,
            "points": given.resolution,
            "workers": workers,
            "seconds": f"{statistics.median(seconds):.2f}",
            "ms_per_sample": f"{statistics.median(seconds) / given.samples * 1e3:.2f}",
            "worst_residual": f"{worst:.1e}",
        }
        for workers, seconds in times.items()
    ]
    for row in rows:
        print(*row.values(), sep="\t")
    write_table("generation.csv", rows, threads=1)


if __name__ == "__main__":
    main()
