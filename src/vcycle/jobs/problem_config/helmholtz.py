"""Options of the Helmholtz equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, BoxConfig
from vcycle.jobs.problem_config.prior import LogNormalConfig, Prior


class HelmholtzConfig(BoxConfig):
    """-lap u - (omega / c)^2 u = f, waves of one frequency in a medium of varying speed."""

    name: Literal["helmholtz"] = "helmholtz"
    boundary: Boundary = "neumann"
    """dirichlet, neumann or periodic: for all faces, or per axis one or a pair [low face, high face]"""
    omega: float = Field(20.0, gt=0)
    """the angular frequency"""
    absorbing: bool = True
    """neumann faces let waves out, and u is complex; else they reflect"""
    prior: Prior = LogNormalConfig(sigma=0.2)
    """distribution of the wave speed c"""
    source: Literal["point", "gaussian"] = "point"
    """f: in the middle, or a random field and a second input"""
