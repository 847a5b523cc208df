"""Options of LSM."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class LSMConfig(Config):
    """A U-Net whose skip connections pass through a few latent tokens."""

    name: Literal["lsm"] = "lsm"
    width: int = Field(24, ge=1)
    """channels on the finest grid; they double from grid to grid"""
    levels: int = Field(4, ge=1)
    """number of grids"""
    tokens: int = Field(4, ge=0)
    """latent tokens per patch, 0 for a plain U-Net"""
    heads: int = Field(4, ge=1)
    """groups of channels with tokens of their own"""
    frequencies: int = Field(12, ge=1)
    """sines and cosines of every token value"""
    patch: int | list[int] | None = None
    """points of a patch on every grid, for all axes or per axis, null for as many as the coarsest grid has"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    norm: Literal["instance", "group", "batch", "layer"] | None = "group"
    """normalisation of the channels"""
    norm_groups: int = Field(1, ge=1)
    """number of groups of norm group"""
    upsampling: Literal["linear", "ends", "learned"] = "linear"
    """to the finer grid: linear between cells, linear between points from end to end, or learned"""
    coordinates: Literal["auto", "cells", "corners", "ends"] | None = "cells"
    """coordinates as further inputs, null for none; auto: cells where every axis is periodic"""
    padding: int | list[int] = 0
    """zeros appended at the end of every axis, in points"""
    projection_ratio: float = Field(2.0, gt=0)
    """channels in the last perceptron over width"""
    resolution: int | list[int] | None = None
    """the grid that the stencils belong to; vcycle train takes that of its data: others are averaged to it and back"""
    placement: Literal["cell", "vertex"] = "cell"
    """what the values on that grid stand for; vcycle train takes that of its data"""
