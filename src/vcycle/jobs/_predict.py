"""`vcycle predict`: a trained run applied to inputs from a file, with the bound of every answer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vcycle.hybrid import Form
from vcycle.jobs.arrays import read_array, write_array
from vcycle.jobs.calibration_words import calibration_words
from vcycle.jobs.own_process import own_process
from vcycle.jobs.requirements import require_count
from vcycle.spaces import Accelerator, chosen
from vcycle.surrogate import Prediction, load

ERRORS = {"energy norm": "energy error", "gradient norm": "gradient error", "energy distance": "energy distance"}


@dataclass(frozen=True)
class Predicted:
    """The prediction, where it was written, and what to tell the user about it."""

    prediction: Prediction
    file: Path | None
    report: str

    def __str__(self) -> str:
        return self.report if self.file is None else f"{self.report}\nwritten to {self.file}"


@own_process()
def predict(
    run: str | Path,
    input: str | Path | np.ndarray,
    output: str | Path | None = None,
    tighten: int = 0,
    form: Form = "discrete",
    accelerator: Accelerator = "auto",
) -> Predicted:
    """Apply the surrogate of a run to an array or .npy file: (*grid), (b, *grid) or (b, c, *grid).

    The fields go to `output` (.npy, (b, c, *grid)). `form` and `tighten` as in `hybrid.energy_bound`.
    Raises ValueError with one sentence for inputs that do not fit.
    """
    require_count("tighten", tighten, 0)
    surrogate = load(run).to(chosen(accelerator))
    prediction = surrogate.predict(read_array(input), form=form, tighten=tighten)
    file = None if output is None else write_array(output, prediction.value.numpy())
    words = [describe(prediction), *calibration_words(surrogate, prediction)]
    return Predicted(prediction, file, "\n".join(words))


def describe(prediction: Prediction, most: int = 20) -> str:
    """The bounds in words, at most `most` samples one by one."""
    shape = " x ".join(map(str, prediction.value.shape[2:]))
    head = f"{prediction.value.shape[0]} predictions at {shape}"
    if prediction.bound is None or prediction.relative is None:
        lacking = "error" if prediction.calibrated is None else "guaranteed"
        return f"{head}; no {lacking} bound: none is known for the equation behind the data, or no equation is"
    meant = {
        "discrete": "the distance to the discrete solution, which the reference solver would give",
        "continuum": "the distance to the solution of the PDE, discretisation included",
    }[prediction.form or "discrete"]
    error = ERRORS[prediction.measure or "energy norm"]
    lines = [f"{head}; guaranteed bounds of the {error}: {meant}", f"sample   {error} <=   relative <="]
    pairs = list(zip(prediction.bound.tolist(), prediction.relative.tolist(), strict=True))
    width = len(error) + len(" <=")
    lines += [
        f"{i:6d}   {bound:{width}.3e}   {100 * relative:9.2f} %" for i, (bound, relative) in enumerate(pairs[:most])
    ]
    if len(pairs) > most:
        worst = max(relative for _, relative in pairs)
        lines.append(f"   ... and {len(pairs) - most} more; the largest relative bound of all is {100 * worst:.2f} %")
    return "\n".join(lines)
