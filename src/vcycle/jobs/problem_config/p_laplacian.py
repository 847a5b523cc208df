"""Options of the p-Laplacian."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig
from vcycle.jobs.problem_config.prior import LogNormalConfig, Prior


class PLaplacianConfig(BoxConfig):
    """-div(a (epsilon^2 + |grad u|^2)^(p/2 - 1) grad u) = f, flow with a power law of resistance."""

    name: Literal["p_laplacian"] = "p_laplacian"
    prior: Prior = LogNormalConfig(sigma=0.5)
    """distribution of the coefficient a"""
    p: float = Field(3.0, ge=1.2, le=8)
    """the exponent; 2 is Darcy flow"""
    epsilon: float = Field(1e-2, ge=1e-4)
    """slopes below it see a constant coefficient"""
    source: Literal["constant", "gaussian"] = "constant"
    """the right-hand side f: 1, or a random field and a second input"""
