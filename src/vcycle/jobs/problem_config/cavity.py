"""Options of cavity flow."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config.time_dependent import MethodOfLinesConfig


class CavityConfig(MethodOfLinesConfig):
    """Incompressible flow below a lid that slides, from rest."""

    name: Literal["cavity"] = "cavity"
    history: int = Field(0, ge=0)
    """states given; with none the motion begins from rest"""
    lid: Literal["uniform", "random"] = "uniform"
    """its speed: one for all of it, or a random profile that falls to 0 at its edges"""
    speeds: list[float] = Field([0.5, 1.5], min_length=2, max_length=2)
    """U is uniform between these"""
    reynolds: list[float] = Field([50.0, 500.0], min_length=2, max_length=2)
    """U L / nu is log-uniform between these"""
