"""Options of Stokes flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig


class StokesConfig(BoxConfig):
    """-nu lap u + grad p = f, div u = 0, a viscous fluid between walls."""

    name: Literal["stokes"] = "stokes"
    viscosity: float = Field(0.01, gt=0)
    """nu"""
    drive: Literal["force", "lid"] = "force"
    """a random force f, or a lid that moves along the first axis with a random speed"""
