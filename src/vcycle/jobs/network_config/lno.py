"""Options of LNO."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class LNOConfig(Config):
    """Layers of integral operators of finite rank."""

    name: Literal["lno"] = "lno"
    width: int = Field(32, ge=1)
    """channels inside"""
    depth: int = Field(4, ge=1)
    """layers"""
    rank: int = Field(16, ge=1)
    """pairs of functions per layer"""
    entries: bool = False
    """pairs of scalar functions for each pair of channels"""
    inputs: bool = False
    """the functions depend on the input at the point, too"""
    kernel_width: int = Field(64, ge=1)
    """units of the hidden layers of the functions"""
    kernel_depth: int = Field(2, ge=1)
    """hidden layers of the functions"""
    kernel_activation: Activation = "sine"
    """nonlinearity of the functions"""
    features: int = Field(4, ge=0)
    """cosines and sines of the point per axis that the functions see"""
    activation: Activation = "gelu"
    """the nonlinearity"""
