"""Options of the Gray-Scott equations."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class GrayScottConfig(WalledEvolutionConfig):
    """u_t = D_u lap u + F (1 - u) - u v^2, v_t = D_v lap v - (F + k) v + u v^2, spots that divide."""

    name: Literal["gray_scott"] = "gray_scott"
    extents: Extents = Field([0.5, 0.5])
    """a length or a pair [low, high] per axis"""
    diffusivities: list[float] = Field([2e-5, 1e-5], min_length=2, max_length=2)
    """D_u and D_v"""
    feed: float = 0.037
    """F"""
    kill: float = 0.06
    """k"""
    seeds: int = Field(5, ge=1)
    """places where the reaction starts"""
    radius: float = Field(0.03, gt=0)
    """their size"""
    time: float = Field(200.0, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 4.0
    """smoothness of the field that makes the seeds differ"""
    tau: float = 20.0
    """inverse length scale of that field"""
    amplitude: float = 0.2
    """size of that field"""
