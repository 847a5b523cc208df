"""Options of flow around a cylinder."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.channel_flow import ChannelFlowConfig


class CylinderConfig(ChannelFlowConfig):
    """Incompressible flow around a cylinder between two plates; a street of vortices after long times."""

    name: Literal["cylinder"] = "cylinder"
    extents: Extents = Field([[-3.0, 8.0], [-3.0, 3.0]])
    """a pair [low, high] per axis; the cylinder stands near the origin"""
    time: float = Field(5.0, gt=0)
    """until the last state asked for"""
    diameters: list[float] = Field([0.8, 1.2], min_length=2, max_length=2)
    """the diameter D is uniform between these"""
    shift: float = Field(0.3, ge=0)
    """the centre is uniform in the square of this half-width around the origin"""
    reynolds: list[float] = Field([20.0, 200.0], min_length=2, max_length=2)
    """mean speed at the inlet times D / nu is log-uniform between these"""
