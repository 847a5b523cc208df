"""Floor 3: a PDE per file, with its inputs, reference solver, residual and manufactured solution. Knows no network."""

from collections.abc import Mapping
from typing import Any

from vcycle.problems.base import Problem as Problem
from vcycle.problems.darcy import Darcy as Darcy
from vcycle.problems.priors import PRIORS as PRIORS
from vcycle.problems.priors import HighContrast as HighContrast
from vcycle.problems.priors import LogNormal as LogNormal
from vcycle.problems.priors import Prior as Prior
from vcycle.problems.priors import TwoPhase as TwoPhase
from vcycle.spaces import Domain

PROBLEMS: dict[str, type[Darcy]] = {"darcy": Darcy}


def build(d: Mapping[str, Any]) -> Problem:
    """The problem described by `Problem.to_dict`.

    >>> build(Darcy(prior=LogNormal(sigma=2.0)).to_dict())
    Darcy(domain=Domain((0, 1) dirichlet x (0, 1) dirichlet), prior=LogNormal(..., sigma=2.0), source='constant')
    """
    if d.get("name") not in PROBLEMS:
        raise ValueError(f"unknown problem {d.get('name')!r}: expected one of {', '.join(PROBLEMS)}")
    prior = dict(d["prior"])
    domain = Domain(d["extents"], [faces if isinstance(faces, str) else tuple(faces) for faces in d["boundary"]])
    return PROBLEMS[d["name"]](domain=domain, prior=PRIORS[prior.pop("name")](**prior), source=d["source"])
