"""Options of Poisson's equation."""

from typing import Literal

from vcycle.jobs.problem_config.box import BoxConfig


class PoissonConfig(BoxConfig):
    """-lap u = f with a rough random source."""

    name: Literal["poisson"] = "poisson"
    source: Literal["gaussian", "two_phase"] = "gaussian"
    """f: a Gaussian field, or its sign"""
    alpha: float = 1.5
    """smoothness of the Gaussian field"""
    tau: float = 5.0
    """inverse length scale of the Gaussian field"""
