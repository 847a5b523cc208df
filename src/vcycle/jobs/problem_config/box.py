"""What problems share as configuration: domains, grids and names, as they are typed."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, model_validator

Condition = Literal["periodic", "dirichlet", "neumann"]
CONDITIONS = ("periodic", "dirichlet", "neumann")


def _split(value: Any) -> Any:
    """'a,b' on the command line is the list [a, b]."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) and "," in value else value


def _boundary(value: Any) -> str | list[str | list[str]]:
    value = _split(value)
    axes = [value] if isinstance(value, str) else value
    if not isinstance(axes, list | tuple) or not axes:
        raise ValueError("a boundary condition is a name, or a list with one name or a pair of names per axis")
    for faces in axes:
        pair = [faces] if isinstance(faces, str) else faces
        if (
            not isinstance(pair, list | tuple)
            or len(pair) not in (1, 2)
            or any(name not in CONDITIONS for name in pair)
        ):
            raise ValueError(
                f"a boundary condition is one of {', '.join(CONDITIONS)}, or a pair of them, got {faces!r}"
            )
    return value if isinstance(value, str) else [f if isinstance(f, str) else list(f) for f in value]


def _extents(value: Any) -> list[float | list[float]]:
    value = _split(value)
    axes = value if isinstance(value, list | tuple) else [value]
    try:
        pairs = [[float(v) for v in e] if isinstance(e, list | tuple) else [0.0, float(e)] for e in axes]
    except (TypeError, ValueError):
        pairs = [[]]
    if not all(len(pair) == 2 and pair[0] < pair[1] and math.isfinite(pair[1] - pair[0]) for pair in pairs):
        raise ValueError(f"extents are a positive length or a pair [low, high] with low < high per axis, got {value!r}")
    return [pair if isinstance(e, list | tuple) else pair[1] for e, pair in zip(axes, pairs, strict=True)]


def _resolution(value: Any) -> int | list[int]:
    value = _split(value)
    axes = value if isinstance(value, list | tuple) else [value]
    try:
        points = [int(v) for v in axes if not isinstance(v, bool) and float(v) == int(v)]
    except (TypeError, ValueError, OverflowError):
        points = []
    if len(points) != len(axes) or not 1 <= len(points) <= 3 or min(points) < 2:
        raise ValueError(f"a resolution is a number of points, at least 2, or one per axis, got {value!r}")
    return points if isinstance(value, list | tuple) else points[0]


# The last entry is the word that help prints for what the option takes.
Boundary = Annotated[str | list[str | list[str]], PlainValidator(_boundary), "condition(s)"]
Extents = Annotated[list[float | list[float]], PlainValidator(_extents), "length(s)"]
Resolution = Annotated[int | list[int], PlainValidator(_resolution), "point(s)"]
Names = Annotated[list[str], BeforeValidator(lambda v: [v] if isinstance(_split(v), str) else _split(v)), "name(s)"]


class Config(BaseModel):
    """A frozen group of options; an option that does not exist is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class BoxConfig(Config):
    """A problem on a box with conditions on its faces."""

    name: str
    dimension: Literal[1, 2, 3] = 2
    """number of axes"""
    extents: Extents = [1.0, 1.0]
    """a length or a pair [low, high] per axis"""
    boundary: Boundary = "dirichlet"
    """dirichlet, neumann or periodic: for all faces, or per axis one or a pair [low face, high face]"""

    @model_validator(mode="before")
    @classmethod
    def _count_axes(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        counts = [len(v) for v in map(_split, (values.get("extents"), values.get("boundary"))) if isinstance(v, list)]
        dimension = values.get("dimension", counts[0] if counts else 2)
        if "extents" not in values and dimension in (1, 3):
            values = values | {"extents": [1.0] * dimension}
        usual = cls.model_fields["boundary"].default
        if "boundary" not in values and isinstance(usual, list) and dimension in (1, 3):
            # The last condition of a default goes on along further axes.
            values = values | {"boundary": [*usual, *usual[-1:]][:dimension]}
        return values | {"dimension": dimension}

    @model_validator(mode="after")
    def _axes_agree(self) -> "BoxConfig":
        for name, value in (("extents", self.extents), ("boundary", self.boundary)):
            if isinstance(value, list) and len(value) != self.dimension:
                raise ValueError(
                    f"{name} {value} has {len(value)} axes and dimension is {self.dimension}: make them agree"
                )
        return self

    def plain(self) -> dict[str, Any]:
        """What `problems.build` reads: conditions for every axis."""
        boundary = [self.boundary] * self.dimension if isinstance(self.boundary, str) else self.boundary
        return self.model_dump() | {"boundary": boundary}
