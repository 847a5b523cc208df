"""Domains and coefficients over which theorems are tested."""

from vcycle.problems import HighContrast, LogNormal, Prior, TwoPhase
from vcycle.spaces import Domain

BOUNDARIES = {
    "dirichlet": ["dirichlet"] * 3,
    "neumann": ["neumann"] * 3,
    "periodic": ["periodic"] * 3,
    "mixed": [("dirichlet", "neumann"), "periodic", ("neumann", "dirichlet")],
    "walls": [("neumann", "dirichlet"), "neumann", "dirichlet"],
}
PRIORS: dict[str, Prior] = {
    "two_phase": TwoPhase(),
    "contrast 100": TwoPhase(1.0, 100.0),
    "contrast 1e6": TwoPhase(1.0, 1e6),
    "lognormal": LogNormal(),
    "channels": HighContrast(1e4),
}


def domain(dimension: int, boundary: str, lengths: tuple[float, ...] = (1.0, 2.0, 0.5)) -> Domain:
    return Domain(lengths[:dimension], BOUNDARIES[boundary][:dimension])
