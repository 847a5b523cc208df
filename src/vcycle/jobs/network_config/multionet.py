"""Options of MultiONet."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class MultiONetConfig(Config):
    """A DeepONet that adds up products of several layers."""

    name: Literal["multionet"] = "multionet"
    width: int = Field(256, ge=1)
    """units of the hidden layers"""
    depth: int = Field(4, ge=1)
    """hidden layers"""
    layers: int = Field(3, ge=1)
    """how many of them are used, the last ones"""
    start: float = 0.1
    """first value of the weights of the products, 0 starts from zero"""
    sensors: int = Field(16, ge=1)
    """cells per axis over which the input is averaged"""
    branch_activation: Activation = "gelu"
    """nonlinearity of the numbers"""
    trunk_activation: Activation = "sine"
    """nonlinearity of the functions"""
    features: int = Field(4, ge=0)
    """cosines and sines of the point per axis, besides its coordinates"""
    gated: bool = False
    """every layer mixes two layers of its own, the modified MLP"""
    mask: bool = False
    """outputs vanish on Dirichlet faces exactly"""
    coordinates: Literal["cells", "corners", "ends"] = "cells"
    """where the points of a grid are"""
