"""Options of the Kuramoto-Sivashinsky equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.evolution import EvolutionConfig


class KuramotoSivashinskyConfig(EvolutionConfig):
    """u_t + u u_x + u_xx + u_xxxx = 0 in one dimension, chaos."""

    name: Literal["kuramoto_sivashinsky"] = "kuramoto_sivashinsky"
    extents: Extents = Field([22.0])
    """a length or a pair [low, high] per axis"""
    form: Literal["conservative", "combustion"] = "conservative"
    """u u_x, or u_x^2 / 2 without its mean"""
    time: float = Field(10.0, gt=0)
    """from the last state given to the last state asked for"""
    alpha: float = 4.0
    """smoothness of the initial state"""
    tau: float = 1.0
    """inverse length scale of the initial state"""
