"""Options of MgNO."""

from typing import Annotated, Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config

Steps = Annotated[int, Field(ge=0)]


class MgNOConfig(Config):
    """Layers of learned multigrid cycles."""

    name: Literal["mgno"] = "mgno"
    width: int = Field(24, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=1)
    """layers"""
    levels: int | None = Field(None, ge=1)
    """grids of a cycle; if neither levels nor iterations are given, as many as `resolution` needs, or 5"""
    iterations: list[tuple[Steps, Steps]] | None = None
    """[pre, post] smoothing steps per level, fine to coarse"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    residual: bool = False
    """restrict f - A u, as textbooks do, instead of f"""
    start: Literal["iterate", "zero"] = "iterate"
    """what coarse grids begin with: the restricted iterate, or zero, as in textbooks"""
    gamma: int = Field(1, ge=1)
    """corrections from each coarser grid: 1 for V-cycles, 2 for W-cycles"""
    shared: Literal["steps", "levels"] | None = None
    """share stencils between the smoothing steps of a level, or between all levels"""
    ghost: Literal["zeros", "circular", "reflect", "replicate"] | None = None
    """what stencils see beyond every face, instead of the boundary conditions"""
    coordinates: Literal["auto", "cells", "corners", "ends"] | None = "auto"
    """coordinates as further inputs, null for none; auto: cells where every axis is periodic"""
    resolution: int | list[int] | None = None
    """the grid that the stencils belong to; vcycle train takes that of its data: others are averaged to it and back"""
    exact_boundary: bool = False
    """zero on Dirichlet faces for any weights (with output_scaling: scale)"""
    placement: Literal["cell", "vertex"] = "cell"
    """what the values on that grid stand for; vcycle train takes that of its data"""
