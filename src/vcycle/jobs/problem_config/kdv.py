"""Options of the Korteweg-de Vries equation."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Extents
from vcycle.jobs.problem_config.evolution import EvolutionConfig


class KdVConfig(EvolutionConfig):
    """u_t + 6 u u_x + u_xxx = 0 in one dimension, solitons."""

    name: Literal["kdv"] = "kdv"
    extents: Extents = Field([20.0])
    """a length or a pair [low, high] per axis"""
    alpha: float = 4.0
    """smoothness of the initial state"""
    tau: float = 1.0
    """inverse length scale of the initial state"""
    amplitude: float = 0.5
    """size of the initial state"""
