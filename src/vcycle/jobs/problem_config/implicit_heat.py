"""Options of an implicit step of the heat equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig
from vcycle.jobs.problem_config.prior import Prior, TwoPhaseConfig


class ImplicitHeatConfig(BoxConfig):
    """(u - u_0) / tau - div(a grad u) = 0, a step of the implicit Euler method."""

    name: Literal["implicit_heat"] = "implicit_heat"
    prior: Prior = TwoPhaseConfig(low=0.5, high=2.0)
    """distribution of the conductivity a"""
    step: float = Field(0.01, gt=0)
    """tau, the time of the step"""
