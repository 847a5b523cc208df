"""Options of linear elasticity."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, BoxConfig
from vcycle.jobs.problem_config.prior import Prior, TwoPhaseConfig


class ElasticityConfig(BoxConfig):
    """-div(lambda tr(eps) I + 2 mu eps) = f, the displacement of a loaded body."""

    name: Literal["elasticity"] = "elasticity"
    boundary: Boundary = Field([["dirichlet", "neumann"], "neumann"])
    """dirichlet (clamped), neumann (free), periodic: for all faces, or per axis one or a pair [low face, high face]"""
    prior: Prior = TwoPhaseConfig(low=1.0, high=10.0)
    """distribution of Young's modulus E"""
    poisson_ratio: float = Field(0.3, gt=-1, le=0.45)
    """nu, how much a body narrows where it is stretched"""
    force: Literal["gravity", "traction", "gaussian"] = "gravity"
    """along the last axis, on the body or on the high face of the first axis; or random fields and further inputs"""
