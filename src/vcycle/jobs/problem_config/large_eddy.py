"""Options of large-eddy simulation."""

import math
from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.evolution import EvolutionConfig


class LargeEddyConfig(EvolutionConfig):
    """u_t + u . grad u + grad p = nu lap u + div(2 nu_t S) + f, velocity, closure of Smagorinsky."""

    name: Literal["large_eddy"] = "large_eddy"
    extents: Extents = Field([2 * math.pi] * 2)
    """a length or a pair [low, high] per axis"""
    viscosity: float = Field(1e-3, gt=0)
    """nu"""
    smagorinsky: float = Field(0.1, ge=0)
    """C_s; 0 is Navier-Stokes flow"""
    filter_width: float = Field(math.pi / 16, gt=0)
    """Delta, the length of the smallest eddies"""
    forcing: Literal["none", "kolmogorov"] = "none"
    """f: nothing, or waves along y"""
    strength: float = 0.1
    """amplitude of the forcing"""
    wavenumber: int = 2
    """waves of the forcing across the box"""
    waves: int = Field(4, ge=1)
    """most waves of the initial state across the box"""
    alpha: float = 4.0
    """smoothness of the initial potential"""
    tau: float = 2.0
    """inverse length scale of the initial potential"""
    amplitude: float = 1.0
    """root-mean-square speed of the initial state"""
