"""Options of the shallow-water equations."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary
from vcycle.jobs.problem_config.time_dependent import ConservationLawConfig


class ShallowWaterConfig(ConservationLawConfig):
    """Depth and mean velocity of water over a bottom, states (h, u)."""

    name: Literal["shallow_water"] = "shallow_water"
    boundary: Boundary = "neumann"
    """periodic, or neumann for walls: for all faces, or per axis one or a pair [low face, high face]"""
    gravity: float = Field(1.0, gt=0)
    """g"""
    flow: Literal["dam", "waves"] = "dam"
    """initial state: a column of water, or random waves"""
    depth: float = Field(1.0, gt=0)
    """of the water at rest"""
    amplitude: float = 1.0
    """height of the column, or size of the waves"""
    bottom: Literal["flat", "rough"] = "flat"
    """flat, or a random field, which is an input"""
    relief: float = 0.1
    """size of a rough bottom"""
