"""Options of minimal surfaces."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import BoxConfig


class MinimalSurfaceConfig(BoxConfig):
    """-div(grad u / (1 + |grad u|^2)^(1/2)) = 0, a soap film in a wire frame."""

    name: Literal["minimal_surface"] = "minimal_surface"
    amplitude: float = Field(0.3, gt=0)
    """standard deviation of the height of the frame"""
    alpha: float = 3.0
    """smoothness of the frame"""
    tau: float = 3.0
    """inverse length scale of the frame"""
