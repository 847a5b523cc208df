"""Trainings that count: a run that was stopped on the way must not become a row of a table."""

from typing import Any

import vcycle
from vcycle.training import Result


def train_whole(configuration: dict[str, Any] | None = None, **options: Any) -> Result:
    """vcycle.train to its end; leaves the program with the run's own words if it was interrupted."""
    result = vcycle.train(configuration, **options)
    if result.ended != "finished":
        raise SystemExit(str(result))
    return result
