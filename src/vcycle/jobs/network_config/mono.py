"""Options of MoNO."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.network_config.activation import Activation
from vcycle.jobs.problem_config import Config


class MoNOConfig(Config):
    """A tree that leads every input to one small network."""

    name: Literal["mono"] = "mono"
    fanout: int = Field(2, ge=2)
    """children of a node"""
    tree_depth: int = Field(2, ge=1)
    """levels of the tree"""
    sensors: int = Field(8, ge=1)
    """cells per axis by which inputs are compared"""
    expert: Literal["fno", "lno"] = "fno"
    """the small networks"""
    width: int = Field(24, ge=1)
    """channels inside each of them"""
    depth: int = Field(3, ge=1)
    """layers of each of them"""
    rank: int = Field(8, ge=1)
    """Fourier modes per axis (fno) or pairs of functions (lno)"""
    activation: Activation = "gelu"
    """the nonlinearity"""
