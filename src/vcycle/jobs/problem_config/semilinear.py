"""Options of the semilinear elliptic equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig
from vcycle.jobs.problem_config.prior import LogNormalConfig, Prior


class SemilinearEllipticConfig(BoxConfig):
    """-lap u + c u^3 = f, diffusion with a cubic sink."""

    name: Literal["semilinear"] = "semilinear"
    prior: Prior = LogNormalConfig(sigma=0.5)
    """distribution of the coefficient c"""
    amplitude: float = Field(100.0, gt=0)
    """standard deviation of the source f"""
