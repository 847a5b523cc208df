"""Options of U-Net."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class UNetConfig(Config):
    """Convolutions on a hierarchy of grids."""

    name: Literal["unet"] = "unet"
    width: int = Field(16, ge=1)
    """channels at the finest level"""
    levels: int = Field(5, ge=1)
    """number of grids, finest to coarsest"""
    multiplier: float = Field(1.5, gt=0)
    """growth of the channels from level to level"""
    blocks: int = Field(1, ge=1)
    """residual blocks per level, going down and going up"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    norm: Literal["instance", "group", "batch", "layer"] | None = "layer"
    """normalisation of the channels"""
    coordinates: Literal["auto", "cells", "corners", "ends"] | None = "auto"
    """coordinates as further inputs, null for none; auto: cells where every axis is periodic"""
    ghost: Literal["zeros", "circular", "reflect", "replicate"] | None = None
    """what stencils see beyond every face, instead of the boundary conditions"""
    resolution: int | list[int] | None = None
    """the grid that the stencils belong to; vcycle train takes that of its data: others are averaged to it and back"""
    placement: Literal["cell", "vertex"] = "cell"
    """what the values on that grid stand for; vcycle train takes that of its data"""
