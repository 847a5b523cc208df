"""Options of tube flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Boundary, Extents
from vcycle.jobs.problem_config.time_dependent import MethodOfLinesConfig


class TubeConfig(MethodOfLinesConfig):
    """Incompressible flow between two plates, from an inlet to an outlet."""

    name: Literal["tube"] = "tube"
    extents: Extents = Field([4.0, 1.0])
    """a length or a pair [low, high] per axis"""
    boundary: Boundary = Field([["dirichlet", "neumann"], ["dirichlet", "dirichlet"]])
    """an inlet and an outlet on the first axis, plates on the second; there is no other choice"""
    profile: Literal["uniform", "random"] = "uniform"
    """the velocity at the inlet: one for all of it, or a random profile that falls to 0 at the plates"""
    speeds: list[float] = Field([0.5, 1.5], min_length=2, max_length=2)
    """its mean is uniform between these"""
    reynolds: list[float] = Field([20.0, 200.0], min_length=2, max_length=2)
    """mean times distance of the plates / nu is log-uniform between these"""
