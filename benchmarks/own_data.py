"""Data that nobody here made: the Darcy files of the neuraloperator library, from train to report, beside its own FNO.

    python benchmarks/own_data.py FOLDER [--steps 12500] [--rival-log LOG]

FOLDER holds darcy_train_16.pt, darcy_test_16.pt and darcy_test_32.pt as that library ships them. Trains MgNO and FNO by
the own-data route (H1 loss, AdamW, OneCycle, batch 8, selected on validation samples cut from the training file) and
reports mean relative L2 and H1 errors on both test files. The rival is the library's own scripts/train_darcy.py with
its default network and loss, run apart; LOG is its output. `--opt.n_epochs 100 --opt.step_size 20` make its 300 epochs
with steps of 60 the same number of steps as here. Its H1 norm is another one (periodic), so only L2 errors are listed.
Writes benchmarks/own_data.csv and the reports into runs/own_*.
"""

import argparse
import re
from pathlib import Path

import torch
import yaml

import vcycle
from machine import write_table
from training import train_whole
from vcycle.data import read_own_settings
from vcycle.operators import count_parameters
from vcycle.spaces import H1, L2, Domain

NETWORKS = {
    "mgno": {"name": "mgno", "width": 24, "depth": 4, "levels": 3},
    "fno": {"name": "fno", "width": 24, "depth": 4, "modes": 16},
}


def describe(folder: Path, runs: Path) -> Path:
    """own.yaml for these files; the functions are known at 16 or 32 points per axis and vanish at the boundary."""
    runs.mkdir(parents=True, exist_ok=True)
    files = {"train": "darcy_train_16.pt", "test": "darcy_test_16.pt", "test_32": "darcy_test_32.pt"}
    own = {
        "name": "neuraloperator Darcy",
        "files": {split: str((folder / name).resolve()) for split, name in files.items()},
        "inputs": ["x"],
        "outputs": ["y"],
        "domain": {"extents": [1.0, 1.0], "boundary": "dirichlet"},
    }
    (runs / "own.yaml").write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")
    return runs / "own.yaml"


def errors(run: Path, own: Path) -> dict[str, float]:
    surrogate, data, found = vcycle.load(run), read_own_settings(own), {}
    for split in ("test", "test_32"):
        pairs = data.split(split).read(range(len(data.split(split))))
        prediction = surrogate.apply(pairs.inputs)
        for name, norm in (("l2", L2(Domain.unit(2))), ("h1", H1(Domain.unit(2)))):
            found[f"{split}_{name}"] = float(norm.relative(prediction, pairs.outputs.double()).mean())
    return found


def rival(log: Path) -> dict[str, int | str]:
    """The last evaluation in the output of the library's script, and the number of parameters it printed."""
    text = log.read_text(encoding="utf-8")
    last = re.findall(r"Eval: 16_h1=([\d.]+), 16_l2=([\d.]+), 32_h1=([\d.]+), 32_l2=([\d.]+)", text)[-1]
    parameters = int(re.findall(r"n_params: (\d+)", text)[-1])
    return {
        "parameters": parameters,
        "clip": "none",
        "test_l2": last[1],
        "test_h1": "",
        "test_32_l2": last[3],
        "test_32_h1": "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=12_500)
    parser.add_argument("--rival-log", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    runs, rows = Path("runs"), []
    own = describe(given.folder, runs)
    for name, network in NETWORKS.items():
        run = runs / f"own_{name}"
        train_whole(
            data=str(own),
            network=network,
            loss="h1",
            optimizer={"name": "adamw", "lr": 2e-3, "weight_decay": 1e-2},
            steps=given.steps,
            validate_every=250,
            threads=given.threads,
            out=str(run),
        )
        vcycle.evaluate(run, str(own))
        parameters = count_parameters(vcycle.load(run).network)
        rows.append({"network": f"vcycle {name}", "parameters": parameters, "clip": 1.0, **_rounded(errors(run, own))})
        print(rows[-1], flush=True)
    if given.rival_log is not None:
        rows.append({"network": "neuraloperator FNO (its script)", **rival(given.rival_log)})
    order = ["network", "parameters", "clip", "test_l2", "test_h1", "test_32_l2", "test_32_h1"]
    write_table(
        "own_data.csv",
        [{key: row[key] for key in order} | {"steps": given.steps} for row in rows],
        threads=given.threads,
    )


def _rounded(values: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.4f}" for name, value in values.items()}


if __name__ == "__main__":
    main()
