"""Options of the wave equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class WaveConfig(WalledEvolutionConfig):
    """h_tt = c^2 lap h, states (h, h_t)."""

    name: Literal["wave"] = "wave"
    extents: Extents = Field([1.0, 1.0])
    """a length or a pair [low, high] per axis"""
    boundary: Boundary = "periodic"
    """periodic, dirichlet (h = 0) or neumann (free): for all faces, or per axis one or a pair"""
    speed: float = Field(1.0, gt=0)
    """c"""
    impulse: float = 5.0
    """size of h_t at the start, in units of c amplitude / length"""
    time: float = Field(0.5, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 4.0
    """smoothness of the initial state"""
