"""Options of the implicit network."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.network_config.per_axis import Counts
from vcycle.jobs.problem_config import Config


class ImplicitConfig(Config):
    """One layer applied until it changes nothing."""

    name: Literal["implicit"] = "implicit"
    width: int = Field(64, ge=1)
    """channels inside"""
    step: Literal["spectral", "graph", "subhomogeneous", "cycle"] = "spectral"
    """the layer: two contract by construction, the third from positive starts, the last is checked"""
    modes: Counts = 12
    """spectral: modes of the domain's basis, for all axes or per axis"""
    rate: float = Field(0.8, gt=0, lt=1)
    """spectral, graph: rate of the contraction"""
    levels: int = Field(4, ge=1)
    """cycle: grids of the V-cycle"""
    tolerance: float = Field(1e-3, gt=0, lt=1)
    """relative residual of the fixed point"""
    most: int | None = Field(None, ge=1)
    """most iterations; as many as the proof needs if not given"""
    damping: float = Field(0.0, ge=0, lt=1)
    """share of the old iterate in the new one"""
    window: int = Field(0, ge=0)
    """residuals that Anderson acceleration combines, 0: none"""
    activation: Activation = "tanh"
    """the nonlinearity"""
    coordinates: Literal["auto", "cells", "corners", "ends"] | None = "cells"
    """coordinates as further inputs, null for none; auto: cells where every axis is periodic"""
    resolution: int | list[int] | None = None
    """the grid that the stencils belong to; vcycle train takes that of its data: others are averaged to it and back"""
    placement: Literal["cell", "vertex"] = "cell"
    """what the values on that grid stand for; vcycle train takes that of its data"""
