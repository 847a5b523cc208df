"""What can be configured, its defaults and its meaning. Imports no torch: help and errors come at once."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

Condition = Literal["periodic", "dirichlet", "neumann"]
CONDITIONS = ("periodic", "dirichlet", "neumann")


def _boundary(value: Any) -> str | list[Any]:
    if isinstance(value, str) and "," in value:
        value = [part.strip() for part in value.split(",")]
    axes = [value] if isinstance(value, str) else value
    if not isinstance(axes, Sequence) or not axes:
        raise ValueError("a boundary condition is a name, or a list with one name or a pair of names per axis")
    for faces in axes:
        pair = [faces] if isinstance(faces, str) else faces
        if not isinstance(pair, Sequence) or len(pair) not in (1, 2) or any(name not in CONDITIONS for name in pair):
            raise ValueError(f"a boundary condition is one of {', '.join(CONDITIONS)}, or a pair of them, got {faces!r}")
    return value if isinstance(value, str) else [f if isinstance(f, str) else list(f) for f in value]


def _extents(value: Any) -> list[Any] | None:
    if value is None:
        return None
    values = value.split(",") if isinstance(value, str) else [value] if isinstance(value, int | float) else value
    try:
        extents = [[float(v) for v in e] if isinstance(e, list | tuple) else float(e) for e in values]
    except (TypeError, ValueError):
        raise ValueError(f"extents are a length or a pair [low, high] per axis, got {value!r}") from None
    for extent in extents:
        low, high = (0.0, extent) if isinstance(extent, float) else extent if len(extent) == 2 else (0.0, 0.0)
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(f"an extent is a positive length or a pair [low, high] with low < high, got {extent}")
    return extents


def _resolution(value: Any) -> int | list[int]:
    values = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    try:
        points = [int(v) for v in values if not isinstance(v, bool) and float(v) == int(v)]
    except (TypeError, ValueError):
        points = []
    if len(points) != len(values) or not 1 <= len(points) <= 3 or min(points) < 2:
        raise ValueError(f"a resolution is a number of points, at least 2, or one per axis, got {value!r}")
    return points[0] if len(points) == 1 else points


Boundary = Annotated[Any, PlainValidator(_boundary)]
Extents = Annotated[Any, PlainValidator(_extents)]
Resolution = Annotated[Any, PlainValidator(_resolution)]


class Config(BaseModel):
    """A frozen group of options; an option that does not exist is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class PriorConfig(Config):
    alpha: float = 2.0
    """smoothness of the Gaussian field"""
    tau: float = 3.0
    """inverse length scale of the Gaussian field"""


class TwoPhaseConfig(PriorConfig):
    """Two materials."""

    name: Literal["two_phase"] = "two_phase"
    low: float = Field(3.0, gt=0)
    """the smaller value"""
    high: float = Field(12.0, gt=0)
    """the larger value"""


class LogNormalConfig(PriorConfig):
    """exp of a Gaussian field."""

    name: Literal["lognormal"] = "lognormal"
    sigma: float = Field(1.0, ge=0)
    """standard deviation of the logarithm"""


class HighContrastConfig(PriorConfig):
    """Conducting channels in a background of 1."""

    name: Literal["high_contrast"] = "high_contrast"
    contrast: float = Field(1e6, ge=1, le=1e6)
    """the value in the channels"""
    width: float = Field(0.25, gt=0)
    """width of the channels, in standard deviations of the field"""


Prior = Annotated[TwoPhaseConfig | LogNormalConfig | HighContrastConfig, Field(discriminator="name")]


class DarcyConfig(Config):
    """-div(a grad u) = f on a box."""

    name: Literal["darcy"] = "darcy"
    dimension: Literal[1, 2, 3] = 2
    """number of axes"""
    extents: Extents = None
    """a length or a pair [low, high] per axis; the unit box if not given"""
    boundary: Boundary = "dirichlet"
    """dirichlet, neumann or periodic: for all faces, or per axis one or a pair [low face, high face]"""
    prior: Prior = TwoPhaseConfig()
    """distribution of the coefficient a"""
    source: Literal["constant", "gaussian"] = "constant"
    """the right-hand side f: 1, or a random field and a second input"""

    @model_validator(mode="before")
    @classmethod
    def _count_axes(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        boundary, extents = values.get("boundary"), values.get("extents")
        given = [v for v in (extents, boundary) if isinstance(v, list | tuple)]
        if given and "dimension" not in values:
            values = values | {"dimension": len(given[0])}
        if extents is None and values.get("dimension", 2) in (1, 2, 3):
            values = values | {"extents": [1.0] * values.get("dimension", 2)}
        return values

    @model_validator(mode="after")
    def _axes_agree(self) -> "DarcyConfig":
        for name, value in (("extents", self.extents), ("boundary", self.boundary)):
            if isinstance(value, list) and len(value) != self.dimension:
                raise ValueError(f"{name} has {len(value)} axes and dimension is {self.dimension}")
        return self


Problem = DarcyConfig


class OptimizerConfig(Config):
    name: Literal["adam", "adamw"] = "adam"
    """weight decay added to the gradient (adam) or decoupled (adamw)"""
    lr: float = Field(1e-3, gt=0)
    """learning rate, the peak of the schedule"""
    weight_decay: float = Field(0.0, ge=0)
    """decay of the weights"""
    betas: tuple[float, float] = (0.9, 0.999)
    """decay of the running averages"""


class OneCycleConfig(Config):
    """Up, then down to nearly nothing."""

    name: Literal["onecycle"] = "onecycle"
    per: Literal["step", "epoch"] = "step"
    """how often the rate changes"""
    pct_start: float = Field(0.2, ge=0, le=1)
    """share of the steps on the way up"""
    div_factor: float = Field(2.0, ge=1)
    """peak rate over first rate"""
    final_div_factor: float = Field(100.0, ge=1)
    """first rate over last rate"""
    cycle_momentum: bool = True
    """the first beta goes from 0.95 to 0.85 and back"""


class CosineConfig(Config):
    """Down along half a cosine."""

    name: Literal["cosine"] = "cosine"
    per: Literal["step", "epoch"] = "step"
    """how often the rate changes"""
    final_factor: float = Field(0.0, ge=0, le=1)
    """last rate over peak rate"""


class ConstantConfig(Config):
    """Always the same rate."""

    name: Literal["constant"] = "constant"


Schedule = Annotated[OneCycleConfig | CosineConfig | ConstantConfig, Field(discriminator="name")]
