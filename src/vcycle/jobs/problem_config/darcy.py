"""Options of Darcy flow."""

from typing import Literal

from vcycle.jobs.problem_config.box import BoxConfig
from vcycle.jobs.problem_config.prior import Prior, TwoPhaseConfig


class DarcyConfig(BoxConfig):
    """-div(a grad u) = f, flow through a porous medium."""

    name: Literal["darcy"] = "darcy"
    prior: Prior = TwoPhaseConfig()
    """distribution of the coefficient a"""
    source: Literal["constant", "gaussian"] = "constant"
    """the right-hand side f: 1, or a random field and a second input"""
