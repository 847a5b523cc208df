"""Everything that was measured about one trained network, as one value that is written to JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from vcycle.analysis.cost import Cost
from vcycle.analysis.coverage import Coverage
from vcycle.analysis.effectivity import Effectivity
from vcycle.analysis.errors import Errors
from vcycle.analysis.resolution import AtResolution
from vcycle.analysis.rollout import Rollout
from vcycle.analysis.spectrum import Spectrum
from vcycle.spaces import Domain, Placement

SCHEMA = "vcycle evaluation 1"
Row = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Measured:
    """The errors on one set of test samples."""

    name: str
    shape: tuple[int, ...]
    samples: int
    errors: Errors

    def to_dict(self) -> dict[str, Any]:
        described = {"name": self.name, "shape": list(self.shape), "samples": self.samples}
        return described | self.errors.to_dict()


@dataclass(frozen=True)
class Case:
    """One sample for the eye: title, inputs, reference and prediction, each (c, *grid); a calibrated band if any.

    local   what every cell adds to the square of the energy error, and to the square of its bound, where there is one
    """

    title: str
    inputs: Float[Tensor, "c *grid"]
    reference: Float[Tensor, "o *grid"]
    prediction: Float[Tensor, "o *grid"]
    band: Float[Tensor, "o *grid"] | None = None
    local: Float[Tensor, "2 *grid"] | None = None


@dataclass(frozen=True)
class Evaluation:
    """A trained network, measured.

    title, facts       what was solved and learned, as label -> sentence; provenance likewise: data, versions, dates
    input_names, output_names, units      names of the channels; a unit per name where there is one
    tests              errors on every test set; the first is the one at the training resolution
    bounds             one entry per form of the error bound; empty where none exists
    coverage           one entry per calibrated bound and test set; empty where nothing is calibrated
    resolutions        the audit of other grids; empty where there is one grid only
    spectrum, cost     None where not measured
    history            the rows of the training log
    cases              samples to be shown, the median case first

    As JSON: {"schema", "title", "facts", "tests": [{"name", "shape", "samples", "summary", "values"}],
    "bounds": [...], "coverage": [...], "resolutions": [...], "spectrum", "cost", "rollout", "provenance"}; the
    entries are the `to_dict` of their classes. Errors are fractions of 1, times milliseconds per sample, null is a
    number that is infinite or missing. The history stays in the run's log and the cases in the report.
    """

    title: str
    facts: Mapping[str, str]
    domain: Domain
    placement: Placement
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    tests: tuple[Measured, ...]
    bounds: tuple[Effectivity, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    resolutions: tuple[AtResolution, ...] = ()
    spectrum: Spectrum | None = None
    cost: Cost | None = None
    rollout: Rollout | None = None
    history: tuple[Row, ...] = ()
    cases: tuple[Case, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation in plain Python values."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "facts": dict(self.facts),
            "domain": self.domain.to_dict(),
            "placement": self.placement,
            "tests": [test.to_dict() for test in self.tests],
            "bounds": [bound.to_dict() for bound in self.bounds],
            "coverage": [row.to_dict() for row in self.coverage],
            "resolutions": [row.to_dict() for row in self.resolutions],
            "spectrum": None if self.spectrum is None else self.spectrum.to_dict(),
            "cost": None if self.cost is None else self.cost.to_dict(),
            "rollout": None if self.rollout is None else self.rollout.to_dict(),
            "provenance": dict(self.provenance),
        }

    def write_json(self, path: Path) -> None:
        """Strict JSON: `allow_nan=False` would rather fail than write what other readers refuse."""
        path.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n", "utf-8")


def read_history(path: Path) -> tuple[Row, ...]:
    """The rows of a log.jsonl; a last line that was cut off while it was written is left out."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return tuple(rows)
