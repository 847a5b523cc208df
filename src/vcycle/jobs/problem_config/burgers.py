"""Options of Burgers' equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.evolution import EvolutionConfig


class BurgersConfig(EvolutionConfig):
    """u_t + u . grad u = nu lap u, fronts."""

    name: Literal["burgers"] = "burgers"
    viscosity: float = Field(0.01, gt=0)
    """nu, the width of fronts"""
    amplitude: float = 0.5
    """size of the initial state"""
    drift: float = 0.0
    """standard deviation of its mean"""
