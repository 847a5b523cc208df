"""Options of T1."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.network_config.per_axis import Counts
from vcycle.jobs.problem_config import Config


class T1Config(Config):
    """Layers on the coefficients between one analysis and one synthesis."""

    name: Literal["t1"] = "t1"
    width: int = Field(24, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=1)
    """layers"""
    modes: Counts = 16
    """coefficients kept, for all axes or per axis"""
    basis: Literal["domain", "fourier", "cosine", "sine"] = "domain"
    """modes that fit the boundary conditions, or one kind on all axes"""
    activation: Activation = "gelu"
    """the nonlinearity of the layers"""
    head_activation: Activation = "gelu"
    """the nonlinearity of the head"""
    head_width: int = Field(128, ge=1)
    """channels inside the head"""
    residual: bool = True
    """layers add to the spectrum instead of replacing it"""
    coordinates: Literal["cells", "corners", "ends"] | None = "cells"
    """coordinates as further inputs, null for none"""
    scale: float | None = Field(None, gt=0)
    """factor of the coefficients, null for the orthonormal transform of a grid with as many points as modes"""
