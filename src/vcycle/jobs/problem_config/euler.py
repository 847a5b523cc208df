"""Options of the compressible Euler equations."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.time_dependent import ConservationLawConfig


class EulerConfig(ConservationLawConfig):
    """Compressible flow of an ideal gas, states (rho, u, p)."""

    name: Literal["euler"] = "euler"
    gamma: float = Field(1.4, gt=1)
    """ratio of specific heats"""
    flow: Literal["smooth", "riemann"] = "smooth"
    """initial state: random fields, or constant in the parts of a box that is cut once across every axis"""
    amplitude: float = 0.3
    """of log density and log pressure"""
    mach: float = 0.3
    """size of the velocity"""
