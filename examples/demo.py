"""The main job, start to finish: from an equation to answers whose error is known. Run by `make demo`; about 6 minutes.

Generates verified Darcy samples for the test, trains MgNO from the equation alone (no labels), evaluates it, and solves
to a tolerance. Everything lands in the folder demo/; interrupted and started again it goes on where it was.
"""

import sys
import time
from pathlib import Path

import torch

import vcycle

FOLDER = Path("demo")


def main() -> int:
    began = time.monotonic()
    torch.set_num_threads(2)
    problem = vcycle.problems.Darcy()

    print("1. Verified samples for the test: two solvers agree on them.")
    data = vcycle.generate(problem, samples=128, resolution=64, seed=1, out=FOLDER / "data", splits={"test": 1.0})
    print(data)

    print("\n2. Training from the equation alone: fresh coefficients every step, the guaranteed bound as loss.")
    result = vcycle.train(problem="darcy", network="mgno", loss="bound", out=str(FOLDER / "run"), threads=2)
    if result.interrupted is not None:
        return 130

    print("\n3. Evaluation on the test samples, which took no part in training.")
    evaluation = vcycle.evaluate(FOLDER / "run", FOLDER / "data")
    print(evaluation)

    print("\n4. Solving to 1e-8, verified by the bound.")
    inputs = data.split("test").read(range(16)).inputs
    solved = vcycle.solve(FOLDER / "run", inputs.numpy(), 1e-8, FOLDER / "solutions.npy")
    print(solved)

    print(f"\nDone in {(time.monotonic() - began) / 60:.1f} minutes. The report: {FOLDER / 'run' / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
