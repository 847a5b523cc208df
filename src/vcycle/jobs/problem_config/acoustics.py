"""Options of room acoustics."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary
from vcycle.jobs.problem_config.time_dependent import TimeDependentConfig


class AcousticsConfig(TimeDependentConfig):
    """The sound pressure of a source that moves along a random path through a room, from silence."""

    name: Literal["acoustics"] = "acoustics"
    history: Literal[0] = 0
    """states given: none, a room is silent before its source"""
    boundary: Boundary = "neumann"
    """neumann (walls), dirichlet (open windows) or periodic: for all faces, or per axis one or a pair"""
    speed: float = Field(1.0, gt=0)
    """c"""
    frequency: float = Field(4.0, gt=0)
    """of the source"""
    width: float = Field(0.05, gt=0)
    """of the source"""
    reflection: float = Field(0.8, ge=-1, le=1)
    """what walls send back of a wave that meets them head on"""
