"""Options of SineNet."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class SineNetConfig(Config):
    """A chain of thin U-Nets."""

    name: Literal["sinenet"] = "sinenet"
    width: int = Field(24, ge=1)
    """channels at the finest level"""
    waves: int = Field(4, ge=1)
    """number of U-Nets"""
    levels: int = Field(4, ge=2)
    """grids of each, finest to coarsest"""
    multiplier: float = Field(1.2, gt=0)
    """growth of the channels from level to level"""
    blocks: int = Field(1, ge=1)
    """pairs of layers per block"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    norm: Literal["instance", "group", "batch", "layer"] | None = "layer"
    """normalisation of the channels"""
    disentangled: bool = True
    """coarse levels see the pooled input of their U-Net too"""
    shortcut: bool = True
    """a matrix around every block"""
    residual: bool = True
    """add the input of every U-Net to its output"""
    pooling: Literal["average", "max"] = "average"
    """from fine to coarse grids"""
    interpolation: Literal["constant", "linear", "cubic", "catmull_rom"] = "cubic"
    """from coarse to fine grids"""
    ghost: Literal["zeros", "circular", "reflect", "replicate"] | None = None
    """what stencils see beyond every face, instead of the boundary conditions"""
    coordinates: Literal["auto", "cells", "corners", "ends"] | None = "auto"
    """coordinates as further inputs, null for none; auto: cells where every axis is periodic"""
    resolution: int | list[int] | None = None
    """the grid that the stencils belong to; vcycle train takes that of its data: others are averaged to it and back"""
    placement: Literal["cell", "vertex"] = "cell"
    """what the values on that grid stand for; vcycle train takes that of its data"""
