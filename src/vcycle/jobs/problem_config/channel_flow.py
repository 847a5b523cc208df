"""What flows between two plates share as configuration."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary
from vcycle.jobs.problem_config.time_dependent import MethodOfLinesConfig


class ChannelFlowConfig(MethodOfLinesConfig):
    """Incompressible flow between two plates, from an inlet to an outlet."""

    boundary: Boundary = Field([["dirichlet", "neumann"], ["dirichlet", "dirichlet"]])
    """an inlet and an outlet on the first axis, plates on the second; there is no other choice"""
    history: int = Field(0, ge=0)
    """states given; with none the inlet's profile is the first state"""
    profile: Literal["uniform", "random"] = "uniform"
    """the velocity at the inlet: one for all of it, or a random profile that falls to 0 at the plates"""
    speeds: list[float] = Field([0.5, 1.5], min_length=2, max_length=2)
    """its mean is uniform between these"""
