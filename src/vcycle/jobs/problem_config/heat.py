"""Options of the heat equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, Extents
from vcycle.jobs.problem_config.walled import WalledEvolutionConfig


class HeatConfig(WalledEvolutionConfig):
    """u_t = kappa lap u + r u, linear."""

    name: Literal["heat"] = "heat"
    extents: Extents = Field([1.0, 1.0])
    """a length or a pair [low, high] per axis"""
    boundary: Boundary = "dirichlet"
    """dirichlet (u = 0), neumann (no flow) or periodic: for all faces, or per axis one or a pair"""
    diffusivity: float = Field(0.01, gt=0)
    """kappa"""
    reaction: float = 0.0
    """r, what is produced"""
    time: float = Field(0.5, gt=0)
    """from the last state given to the last state asked for"""
