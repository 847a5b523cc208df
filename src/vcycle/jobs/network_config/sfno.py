"""Options of SFNO."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.network_config.per_axis import Count, Counts
from vcycle.jobs.problem_config import Config


class SFNOConfig(Config):
    """Layers of truncated Fourier multipliers in space and time."""

    name: Literal["sfno"] = "sfno"
    fields: int = Field(1, ge=1)
    """functions per snapshot"""
    width: int = Field(16, ge=1)
    """channels inside"""
    depth: int = Field(3, ge=1)
    """layers before the last, linear one"""
    modes: Counts = 12
    """Fourier modes of both signs in space, for all axes or per axis"""
    time_modes: int = Field(5, ge=1)
    """Fourier modes of both signs in time"""
    time_padding: float = Field(0.25, ge=0)
    """zeros after the window of time, as a share of it"""
    time_features: int = Field(2, ge=0)
    """pairs of decaying waves in time as further inputs"""
    output_modes: list[Count] | None = None
    """modes of the last layer, in time and per axis of space, null for those of the others"""
    activation: Activation = "gelu"
    """the nonlinearity"""
    coordinates: Literal["cells", "corners", "ends"] | None = "cells"
    """coordinates as further inputs, null for none"""
    residual: bool = True
    """add the last snapshot to the output"""
