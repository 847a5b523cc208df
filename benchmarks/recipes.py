"""Do the published recipes reach the published errors? Their sizes, data and schedules, their numbers beside ours.

    python benchmarks/recipes.py run fno_burgers [mgno_rough ...] [--epochs 50]    # hours on a CPU, most of them
    python benchmarks/recipes.py table                                             # benchmarks/recipes.csv

A recipe is recipes/NAME: the data it is trained on, generated here to the description in the paper, and the options of
the training. Weights are selected on validation data and tested once. Runs are kept in runs/recipes and go on where
they were.
"""

import argparse
import json
from pathlib import Path

import torch
import yaml
from torch import nn

import vcycle
from machine import stamped, write_table
from networks import errors
from training import train_whole
from vcycle.jobs.config import GenerateConfig
from vcycle.operators import count_parameters

RECIPES, RUNS = Path(__file__).parent.parent / "recipes", Path("runs") / "recipes"
SAME_DATA = {"lsm_darcy": "fno_darcy"}

# Relative L2 and H1 errors, and how sure the numbers are: 'secondary', read in a second source such as a README or a
# later paper; 'from memory' of the paper, unchecked. None: no number is known.
PUBLISHED = {
    "mgno_rough": (0.00339, 0.01380, "secondary"),
    "mgno_smooth": (0.00153, 0.00711, "L2 0.0017 secondary, these from memory"),
    "mgno_multiscale": (0.00715, 0.01756, "secondary; the coefficient's formula from memory"),
    "fno_darcy": (0.0108, None, "secondary"),
    "fno_burgers": (0.0160, None, "from memory"),
    "fno_navier_stokes": (0.1556, None, "secondary"),
    "lsm_darcy": (0.0065, None, "secondary"),
    "t1_navier_stokes": (None, None, ""),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("recipes", nargs="*", choices=[[], *PUBLISHED])
    parser.add_argument("--epochs", type=int, help="instead of the recipe's number")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    if given.what == "run":
        for name in given.recipes or PUBLISHED:
            run(name, given.epochs, given.threads)
    else:
        rows = [json.loads(file.read_text()) for file in sorted(RUNS.glob("*/row.json"))]
        write_table("recipes.csv", rows, threads=given.threads)


def run(name: str, epochs: int | None, threads: int) -> None:
    """Generate, train and test one recipe, each unless that has been done."""
    data = RUNS / f"data-{SAME_DATA.get(name, name)}"
    settings = yaml.safe_load((RECIPES / SAME_DATA.get(name, name) / "generate.yaml").read_text())
    given = GenerateConfig(**settings, out=str(data))
    problem = vcycle.problems.build(given.problem.plain())
    vcycle.generate(problem, given.samples, given.resolution, 0, data, splits=given.splits, dtype=given.dtype)
    options = yaml.safe_load((RECIPES / name / "train.yaml").read_text())
    epochs = epochs or options["epochs"]
    folder = RUNS / f"{name}-{epochs}"
    result = train_whole(options, data=str(data), epochs=epochs, threads=threads, out=str(folder))
    surrogate = vcycle.load(folder)
    assert isinstance(surrogate.network, nn.Module)
    found, published = errors(surrogate, data), PUBLISHED[name]
    row = {
        "recipe": name,
        "parameters": count_parameters(surrogate.network),
        "epochs": epochs,
        "of": options["epochs"],
        "seconds": round(result.seconds),
        "l2": f"{found['l2']:.4f}",
        "h1": f"{found['h1']:.4f}",
        "published_l2": published[0],
        "published_h1": published[1],
        "provenance": published[2],
    }
    (folder / "row.json").write_text(json.dumps(stamped(row, threads)))
    print(row, flush=True)


if __name__ == "__main__":
    main()
