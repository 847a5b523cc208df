"""The coverage of calibrated bounds on test samples, and the bands of the samples that a report shows."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from vcycle.analysis import Case, Coverage
from vcycle.data import Fields
from vcycle.hybrid.scores import within
from vcycle.spaces import L2
from vcycle.surrogate import Surrogate
from vcycle.surrogate.calibration import norms


def measure_coverage(surrogate: Surrogate, sets: Mapping[str, Fields]) -> tuple[Coverage, ...]:
    """Every calibrated bound on every test set of the calibration grid; none on samples that calibrated it."""
    found: list[Coverage] = []
    calibration = surrogate.calibration
    for name, pairs in sets.items():
        here = tuple(pairs.inputs.shape[2:])
        if calibration is None or calibration.resolution != here or name.startswith("calibration"):
            continue
        answer = surrogate.answer(pairs.inputs)
        c = calibration(answer, surrogate.domain, surrogate.placement)
        u, error = pairs.outputs, pairs.outputs - answer.value
        far = torch.zeros(len(u), dtype=torch.bool)
        far[c.far] = True
        difficulties = {
            "size of the solution": L2(surrogate.domain, surrogate.placement)(u),
            "distance of the input": calibration.distance(pairs.inputs),
        }
        root = u.square().flatten(1).mean(1).sqrt()
        rows = [("band", within(error, c.band, c.share), c.band.flatten(1).mean(1) / root)]
        for quantity, norm in norms(surrogate.domain, surrogate.placement).items():
            bound = c.l2 if quantity == "l2" else c.h1
            rows.append((quantity, norm(error) <= bound, bound / norm(u)))
        found += [Coverage(name, q, c.level, c.samples, held, size, difficulties, far) for q, held, size in rows]
    return tuple(found)


def with_bands(surrogate: Surrogate, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """The samples with their calibrated bands, where there are any."""
    if surrogate.calibration is None:
        return cases
    prediction = surrogate.predict(torch.stack([case.inputs for case in cases]))
    if prediction.calibrated is None:
        return cases
    return tuple(replace(case, band=band) for case, band in zip(cases, prediction.calibrated.band, strict=True))
