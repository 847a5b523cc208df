"""Options of Navier-Stokes flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.evolution import EvolutionConfig


class NavierStokesConfig(EvolutionConfig):
    """w_t + u . grad w = nu lap w - drag w + f in two dimensions, vorticity."""

    name: Literal["navier_stokes"] = "navier_stokes"
    extents: Extents = Field([1.0, 1.0])
    """a length or a pair [low, high] per axis"""
    viscosity: float = Field(1e-3, gt=0)
    """nu"""
    forcing: Literal["diagonal", "kolmogorov", "none"] = "diagonal"
    """f: waves along the diagonal, waves along y, or nothing"""
    strength: float = 0.1
    """amplitude of the forcing"""
    wavenumber: int = 1
    """waves of the forcing across the box"""
    drag: float = 0.0
    """linear friction"""
    time: float = Field(5.0, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 2.5
    """smoothness of the initial state"""
    tau: float = 7.0
    """inverse length scale of the initial state"""
    amplitude: float = 0.185
    """size of the initial state"""
