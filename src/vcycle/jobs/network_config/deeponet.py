"""Options of DeepONet."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class DeepONetConfig(Config):
    """Numbers that depend on the input times functions that depend on the point."""

    name: Literal["deeponet"] = "deeponet"
    rank: int = Field(128, ge=1)
    """functions per output channel"""
    width: int = Field(256, ge=1)
    """units of the hidden layers"""
    sensors: int = Field(16, ge=1)
    """cells per axis over which the input is averaged"""
    branch_depth: int = Field(3, ge=1)
    """hidden layers of the numbers"""
    branch_activation: Activation = "gelu"
    """nonlinearity of the numbers"""
    trunk: Literal["learned", "pod"] = "learned"
    """learned functions, or the principal components of the training outputs"""
    trunk_depth: int = Field(3, ge=1)
    """hidden layers of learned functions"""
    trunk_activation: Activation = "sine"
    """nonlinearity of learned functions"""
    features: int = Field(4, ge=0)
    """cosines and sines of the point per axis, besides its coordinates"""
    gated: bool = False
    """every layer mixes two layers of its own, the modified MLP"""
    mask: bool = False
    """learned functions vanish on Dirichlet faces exactly"""
    coordinates: Literal["cells", "corners", "ends"] = "cells"
    """where the points of a grid are"""
