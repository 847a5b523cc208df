"""How uncertain weights are found after a training. Imports no torch: help and errors come at once."""

from typing import Literal

from pydantic import Field

from vcycle.jobs.problem_config import Config


class SparsePosteriorConfig(Config):
    """Draws from a Gaussian posterior over a few of the trained weights, as an ensemble (docs/calibration.md)."""

    name: Literal["sparse"] = "sparse"
    draws: int = Field(8, ge=2)
    """networks drawn from it"""
    steps: int = Field(500, ge=1)
    """steps after the training"""
    lr: float = Field(1e-3, gt=0)
    """learning rate of means and deviations"""
    density: float = Field(0.05, gt=0, le=1)
    """share of the weights that are uncertain"""
    prior: float = Field(0.05, gt=0)
    """deviation of the prior around the trained weights"""
    temperature: float = Field(1.0, ge=0)
    """weight of the prior; below 1 the posterior is a cold one"""
