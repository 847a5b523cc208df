"""Options of advection and diffusion."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.evolution import EvolutionConfig


class AdvectionDiffusionConfig(EvolutionConfig):
    """u_t + c . grad u = div(D grad u), linear."""

    name: Literal["advection_diffusion"] = "advection_diffusion"
    velocity: list[float] = Field([1.0])
    """c, a number per axis"""
    diffusivity: float | list[list[float]] = 0.01
    """D, a number or a symmetric matrix as rows"""
    time: float = Field(0.5, gt=0)
    """from the last state given to the last state asked for"""
