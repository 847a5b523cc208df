"""Options of flow over a barrier."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.channel_flow import ChannelFlowConfig


class BarrierConfig(ChannelFlowConfig):
    """Incompressible flow of one fluid over a rectangle on the lower of two plates."""

    name: Literal["barrier"] = "barrier"
    extents: Extents = Field([[-3.0, 9.0], [0.0, 4.0]])
    """a length or a pair [low, high] per axis"""
    time: float = Field(5.0, gt=0)
    """until the last state asked for"""
    heights: list[float] = Field([0.8, 1.5], min_length=2, max_length=2)
    """the height h is uniform between these"""
    widths: list[float] = Field([0.4, 1.0], min_length=2, max_length=2)
    """the width is uniform between these"""
    position: float = 0.0
    """where its low side stands on the first axis"""
    reynolds: list[float] = Field([20.0, 200.0], min_length=2, max_length=2)
    """mean speed at the inlet times h / nu is log-uniform between these"""
