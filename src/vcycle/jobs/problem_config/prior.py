"""Options of the distributions of coefficients."""

from typing import Annotated, Literal

from pydantic import Field

from vcycle.jobs.problem_config.box import Config


class FieldPriorConfig(Config):
    alpha: float = 2.0
    """smoothness of the Gaussian field"""
    tau: float = 3.0
    """inverse length scale of the Gaussian field"""


class TwoPhaseConfig(FieldPriorConfig):
    """Two materials."""

    name: Literal["two_phase"] = "two_phase"
    low: float = Field(3.0, gt=0)
    """the smaller value"""
    high: float = Field(12.0, gt=0)
    """the larger value"""


class LogNormalConfig(FieldPriorConfig):
    """exp of a Gaussian field."""

    name: Literal["lognormal"] = "lognormal"
    sigma: float = Field(1.0, ge=0)
    """standard deviation of the logarithm"""


class HighContrastConfig(FieldPriorConfig):
    """Conducting channels in a background of 1."""

    name: Literal["high_contrast"] = "high_contrast"
    contrast: float = Field(1e6, ge=1, le=1e6)
    """the value in the channels"""
    width: float = Field(0.25, gt=0)
    """width of the channels, in standard deviations of the field"""


class MultiscaleConfig(Config):
    """Oscillations in octaves."""

    name: Literal["multiscale"] = "multiscale"
    scales: int = Field(4, ge=1, le=12)
    """number of octaves; the finest of 4 needs 64 points per axis, of 6 256"""


class EmpiricalConfig(Config):
    """Coefficients from a file."""

    name: Literal["empirical"] = "empirical"
    file: str = "coefficients.npy"
    """.npy of shape (samples, *grid)"""


Prior = Annotated[
    TwoPhaseConfig | LogNormalConfig | HighContrastConfig | MultiscaleConfig | EmpiricalConfig,
    Field(discriminator="name"),
]
