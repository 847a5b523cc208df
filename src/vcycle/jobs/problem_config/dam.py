"""Options of water over a barrier."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.channel_flow import ChannelFlowConfig


class DamConfig(ChannelFlowConfig):
    """Water below air, with gravity and a free surface, over a rectangle on the lower of two plates."""

    name: Literal["dam"] = "dam"
    extents: Extents = Field([[-1.5, 3.0], [0.0, 1.5]])
    """a length or a pair [low, high] per axis"""
    time: float = Field(3.0, gt=0)
    """until the last state asked for"""
    history: int = Field(0, ge=0)
    """states given; with none a column of water behind the inlet is the first state"""
    drive: Literal["inlet", "break"] = "inlet"
    """inlet: water flows in; break: none does, and the column collapses"""
    depths: list[float] = Field([0.5, 0.8], min_length=2, max_length=2)
    """the depth d of the water at the inlet is uniform between these"""
    columns: list[float] = Field([0.6, 1.0], min_length=2, max_length=2)
    """the length of the first column of water is uniform between these"""
    heights: list[float] = Field([0.2, 0.4], min_length=2, max_length=2)
    """the height of the rectangle is uniform between these"""
    widths: list[float] = Field([0.2, 0.5], min_length=2, max_length=2)
    """its width is uniform between these"""
    position: float = 0.0
    """where its low side stands on the first axis"""
    profile: Literal["uniform", "random"] = "uniform"
    """the velocity of the water at the inlet: one for all of it, or a random positive profile"""
    speeds: list[float] = Field([0.1, 0.8], min_length=2, max_length=2)
    """its mean is uniform between these"""
    reynolds: list[float] = Field([50.0, 200.0], min_length=2, max_length=2)
    """(g d)^(1/2) d / nu is log-uniform between these"""
    gravity: float = Field(1.0, gt=0)
    """g"""
    air_density: float = Field(0.001, gt=0, le=1)
    """density of the air / density of the water"""
    air_viscosity: float = Field(0.02, gt=0)
    """dynamic viscosity of the air / dynamic viscosity of the water"""
    thickness: float = Field(0.06, gt=0)
    """eps: across the surface the volume fraction of water is 1 / (1 + e^(x / eps))"""
    mobility: float = Field(0.3, gt=0)
    """gamma, the speed at which the surface regains that form"""
