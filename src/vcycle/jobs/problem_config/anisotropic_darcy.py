"""Options of anisotropic Darcy flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig
from vcycle.jobs.problem_config.prior import LogNormalConfig, Prior


class AnisotropicDarcyConfig(BoxConfig):
    """-div(A grad u) = f, flow through a medium with fibres or layers."""

    name: Literal["anisotropic_darcy"] = "anisotropic_darcy"
    prior: Prior = LogNormalConfig(sigma=0.5)
    """distribution of the conductivity along the fibres"""
    ratio: float = Field(10.0, ge=1, le=1000)
    """conductivity along over across the fibres"""
    rotation: float = Field(0.25, ge=0)
    """standard deviation of the fibres' angle in half turns"""
    source: Literal["constant", "gaussian"] = "constant"
    """the right-hand side f: 1, or a random field and a further input"""
