"""Options of tube flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.channel_flow import ChannelFlowConfig


class TubeConfig(ChannelFlowConfig):
    """Incompressible flow between two plates, from an inlet to an outlet."""

    name: Literal["tube"] = "tube"
    extents: Extents = Field([4.0, 1.0])
    """a length or a pair [low, high] per axis"""
    reynolds: list[float] = Field([20.0, 200.0], min_length=2, max_length=2)
    """mean times distance of the plates / nu is log-uniform between these"""
