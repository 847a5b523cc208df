"""An evaluation made of closed forms: a scaled solution in any dimension, for pictures and reports."""

import math
from typing import Any

import torch

from vcycle.analysis import (
    AtResolution,
    Case,
    Cost,
    Effectivity,
    Evaluation,
    Measured,
    Rival,
    Summary,
    error_spectrum,
    measure_errors,
)
from vcycle.spaces import Domain, Grid


def fields(domain: Domain, n: int, samples: int = 5, placement: str = "cell") -> tuple[torch.Tensor, torch.Tensor]:
    """Reference and prediction: waves, and the same with an error of 1 %, 2 %, ... in the samples."""
    wave = torch.ones((n,) * domain.dimension, dtype=torch.float64)
    for x in Grid(domain, (n,) * domain.dimension, placement).mesh():
        wave = wave * (torch.sin(math.pi * x) + 0.1)
    reference = wave.expand(samples, 1, *wave.shape) * 1e-3
    scale = 1 + 0.01 * torch.arange(1, samples + 1, dtype=torch.float64).view(-1, *[1] * (domain.dimension + 1))
    return reference, reference * scale


def effectivity(form: str, ratio: float) -> Effectivity:
    error = torch.linspace(0.1, 0.3, 5, dtype=torch.float64)
    return Effectivity(form, "guaranteed", ratio * error, error, torch.ones_like(error), torch.full_like(error, 1e-3))


def example(
    domain: Domain | None = None, n: int = 16, prediction: torch.Tensor | None = None, **changes: Any
) -> Evaluation:
    """A complete evaluation, with `changes`."""
    domain = Domain.unit(2) if domain is None else domain
    reference, scaled = fields(domain, n)
    v = scaled if prediction is None else prediction
    errors = measure_errors(v, reference, domain)
    shape = tuple(reference.shape[2:])
    summary = Summary.of(errors.l2)
    fine = tuple(2 * m for m in shape)
    history = tuple(
        {"step": s, "learning_rate": 1e-3, "loss": 1 / (1 + s), "validation_l2": None if s % 2 else 2 / (1 + s)}
        for s in range(6)
    )
    complete: dict[str, Any] = {
        "title": "MgNO for Darcy flow",
        "facts": {"equation": "−div(a grad u) = f", "<script>": "a < b & c"},
        "domain": domain,
        "placement": "cell",
        "input_names": ("a",),
        "output_names": ("u",),
        "tests": (Measured("test", shape, len(reference), errors),),
        "bounds": (effectivity("discrete", 1.1), effectivity("continuum", 1.3)),
        "resolutions": (
            AtResolution(shape, summary, None, summary),
            AtResolution(fine, None, summary, None, "too fine"),
        ),
        "spectrum": error_spectrum(v, reference, domain),
        "cost": Cost(
            error=0.02,
            milliseconds={1: 4.0, 16: 1.0},
            rivals=(Rival("solver", 0.1, 0.01, {1: 2.0, 16: 3.0}), Rival("coarse", None, 0.5, {})),
            threads=1,
            device="cpu",
            repeats=3,
            others={"network with its bound": {1: 5.0, 16: 2.0}},
            samples=16,
        ),
        "history": history,
        "cases": (Case("Median case", reference[0].abs() + 1, reference[0], v[0]),),
        "units": {"u": "Pa"},
        "provenance": {"date": "2024-02-29"},
    }
    return Evaluation(**(complete | changes))
