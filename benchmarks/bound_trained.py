"""How sharp is the bound of what networks say? Effectivity (bound / true error) of trained MgNOs on unseen samples.

    python benchmarks/bound_trained.py train [4 100 1e6]
    python benchmarks/bound_trained.py measure [4 100 1e6]

Darcy flow with two materials of these contrasts, 64 x 64, 600 steps of 8 fresh coefficients on the equation alone (the
residual in the norm of one V-cycle); at 1e6 as many again, after those at 1e4. Discrete form: against the discrete
solution; continuum form: against the PDE's, whose energy the solution on cells halved twice encloses. `truth` says how
closely, relative to the error, in the median and in the worst sample. Runs are kept in runs/bound_trained, so that an
interrupted call goes on where it was. `measure` writes what it had not measured to benchmarks/bound_trained.csv.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import vcycle
from machine import update_table
from training import train_whole
from vcycle.hybrid import energy_bound
from vcycle.hybrid.continuum import Continuum
from vcycle.hybrid.halved_cells import repeated
from vcycle.problems import Darcy, TwoPhase

RUNS, ROW = Path("runs") / "bound_trained", "rows.json"
NETWORK = {"name": "mgno", "width": 16, "depth": 3, "levels": 5}
POINTS, SAMPLES, SEED, PART, HALVINGS = 64, 256, 1, 16, 2
CONTRASTS, CYCLES, LOSS, STEPS = ("4", "100", "1e6"), (0, 1, 2, 4), "dual_residual", 600
FORMS = ("discrete", "continuum")
BEFORE = {"1e6": "1e4"}  # the contrast of the run to begin with: from random weights training at 1e6 ends at zero
QUANTILES = {"least": 0.0, "median": 0.5, "q99": 0.99, "largest": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["train", "measure"])
    parser.add_argument("contrasts", nargs="*", metavar="contrast", default=list(CONTRASTS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for contrast in given.contrasts:
        (train if given.action == "train" else measure)(contrast)


def folder_of(contrast: str) -> Path:
    return RUNS / f"{contrast}-{LOSS}"


def train(contrast: str) -> None:
    problem = {"name": "darcy", "prior": {"name": "two_phase", "low": 1.0, "high": float(contrast)}}
    options: dict[str, Any] = {"optimizer": {"lr": 2e-3}, "validate_every": 100, "accelerator": "cpu", "threads": 1}
    out = str(folder_of(contrast))
    if contrast in BEFORE:
        train(BEFORE[contrast])
        options["start"] = str(folder_of(BEFORE[contrast]))
    print(contrast, train_whole(network=NETWORK, problem=problem, loss=LOSS, steps=STEPS, out=out, **options))


def measure(contrast: str) -> None:
    """Leave the rows of a run in its folder and in the table, unless that has been done."""
    folder = folder_of(contrast)
    if (folder / ROW).exists():
        return
    problem, surrogate = Darcy(prior=TwoPhase(1.0, float(contrast))), vcycle.load(folder)
    inputs = problem.sample((POINTS, POINTS), SEED, range(SAMPLES))
    parts = inputs.split(PART)
    u = torch.cat([problem.solve(part).value for part in parts])
    v, norm = surrogate.apply(inputs), problem.energy_norm(inputs)
    rows = []
    for form in FORMS:
        if form == "discrete":
            true, size = norm(v - u), norm(u)
            slack = bounds(problem, inputs, u, form, 0)[0] / true
        else:
            true, size, slack = continuum(problem, contrast, inputs, bounds(problem, inputs, v, form, 0)[1])
        for cycles in CYCLES:
            ratio = bounds(problem, inputs, v, form, cycles)[0] / true
            quantiles = {name: f"{float(ratio.quantile(q)):.4f}" for name, q in QUANTILES.items()}
            rows.append(
                {
                    "contrast": contrast,
                    "loss": LOSS,
                    "form": form,
                    "cycles": cycles,
                    **quantiles,
                    "energy_error": f"{float((true / size).median()):.4f}",
                    "truth": f"{float(slack.median()):.1e}",
                    "truth_worst": f"{float(slack.max()):.1e}",
                    "samples": SAMPLES,
                }
            )
            print(*rows[-1].values(), sep="\t", flush=True)
    update_table("bound_trained.csv", rows, key=("contrast", "form", "cycles"), threads=1, order=position)
    (folder / ROW).write_text(json.dumps(rows))


def position(row: dict[str, Any]) -> tuple[int, int, int]:
    """Of a row in the table: as contrasts, forms and cycles are listed above."""
    return CONTRASTS.index(row["contrast"]), FORMS.index(row["form"]), int(row["cycles"])


def bounds(problem: Darcy, inputs: Tensor, v: Tensor, form: str, cycles: int) -> tuple[Tensor, Tensor]:
    """The bounds of v and the functions that they speak of."""
    found = []
    for x, values in zip(inputs.split(PART), v.split(PART), strict=True):
        a, f = problem.fields(x)
        found.append(energy_bound(values, a, f, problem.domain, form=form, tighten=cycles))
    return torch.cat([b.value for b in found]), torch.cat([b.field for b in found])


def continuum(problem: Darcy, contrast: str, inputs: Tensor, vertices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """|||u - v|||, |||u|||, and how well the first is known: ||u - v||^2 = ||u||^2 - 2 (f, v) + ||v||^2."""
    least, most = energies(problem, contrast, inputs)
    a, f = problem.fields(inputs)
    equation = Continuum(a, None, problem.domain)
    work = equation.volume * (f * equation.means(vertices)).flatten(1).sum(1)
    rest = equation.square(vertices).flatten(1).sum(1) - 2 * work
    low, high = (least + rest).clamp_min(0), most + rest
    true = ((low + high) / 2).sqrt()
    return true, ((least.clamp_min(0) + most) / 2).sqrt(), 1 - low.sqrt() / true


def energies(problem: Darcy, contrast: str, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """2 (f, w) - ||w||^2 <= |||u|||^2 <= that + bound(w)^2 for the solutions w on halved cells; kept in a file."""
    file = RUNS / f"energies-{contrast}.pt"
    known = torch.load(file) if file.exists() else torch.zeros(0, 2, dtype=torch.float64)
    for index in range(len(known), len(inputs)):
        x = inputs[index : index + 1]
        for _ in range(HALVINGS):
            x = repeated(x)
        a, f = problem.fields(x)
        w = energy_bound(problem.solve(x).value, a, f, problem.domain, form="continuum")
        equation = Continuum(a, None, problem.domain)
        work = equation.volume * (f * equation.means(w.field)).sum()
        least = 2 * work - equation.square(w.field).sum()
        known = torch.cat([known, torch.stack([least, least + w.value[0].square()])[None]])
        if len(known) % PART == 0:
            torch.save(known, file)
    least, most = known.T
    return least, most


if __name__ == "__main__":
    main()
