"""Boxes with a boundary condition on every face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Condition = Literal["periodic", "dirichlet", "neumann"]
Faces = tuple[Condition, Condition]
CONDITIONS: tuple[Condition, ...] = ("periodic", "dirichlet", "neumann")

ExtentsLike = Sequence[float | Sequence[float]]
BoundaryLike = str | Sequence[str | Sequence[str]]


@dataclass(frozen=True, init=False)
class Domain:
    """The box prod_i (low_i, high_i) in 1, 2 or 3 dimensions, with a boundary condition on each face.

    `extents` holds a length L (the interval (0, L)) or a pair (low, high) per axis.
    `boundary` is one condition for all faces, or per axis one condition or a pair (low face, high face);
    conditions are homogeneous: 'periodic', 'dirichlet' (u = 0), 'neumann' (no flux).

    >>> Domain.unit(2)
    Domain((0, 1) dirichlet x (0, 1) dirichlet)
    >>> Domain([1.0, 2.0], ["periodic", ("dirichlet", "neumann")])
    Domain((0, 1) periodic x (0, 2) dirichlet|neumann)

    Raises ValueError for an empty interval, an unknown condition or a half-periodic axis.
    """

    extents: tuple[tuple[float, float], ...]
    boundary: tuple[Faces, ...]

    def __init__(self, extents: ExtentsLike = (1.0, 1.0), boundary: BoundaryLike = "dirichlet"):
        intervals = tuple(_interval(extent) for extent in extents)
        if len(intervals) not in (1, 2, 3):
            raise ValueError(f"a Domain has 1, 2 or 3 axes, got {len(intervals)} extents: {list(extents)}")
        per_axis = [boundary] * len(intervals) if isinstance(boundary, str) else list(boundary)
        if len(per_axis) != len(intervals):
            raise ValueError(
                f"got {len(per_axis)} boundary conditions for {len(intervals)} axes: give one for all, or one per axis"
            )
        object.__setattr__(self, "extents", intervals)
        object.__setattr__(self, "boundary", tuple(_faces(condition) for condition in per_axis))

    @classmethod
    def unit(cls, dimension: int = 2, boundary: BoundaryLike = "dirichlet") -> "Domain":
        """The unit interval, square or cube."""
        return cls((1.0,) * dimension, boundary)

    @property
    def dimension(self) -> int:
        return len(self.extents)

    @property
    def lengths(self) -> tuple[float, ...]:
        return tuple(high - low for low, high in self.extents)

    @property
    def floating(self) -> bool:
        """Whether no face is Dirichlet, so that elliptic problems fix their solution only up to a constant."""
        return all("dirichlet" not in faces for faces in self.boundary)

    @property
    def torus(self) -> bool:
        """Whether every axis is periodic, so that translations map the domain to itself."""
        return all(faces[0] == "periodic" for faces in self.boundary)

    def periodic(self, axis: int) -> bool:
        return self.boundary[axis][0] == "periodic"

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for JSON, YAML and HDF5 attributes; `Domain(**d)` reads them back."""
        return {"extents": [list(e) for e in self.extents], "boundary": [list(b) for b in self.boundary]}

    def __repr__(self) -> str:
        axes = (
            f"({low:g}, {high:g}) {faces[0] if faces[0] == faces[1] else '|'.join(faces)}"
            for (low, high), faces in zip(self.extents, self.boundary, strict=True)
        )
        return f"Domain({' x '.join(axes)})"


def _interval(extent: float | Sequence[float]) -> tuple[float, float]:
    ends = (0.0, float(extent)) if isinstance(extent, int | float) else tuple(float(v) for v in extent)
    if len(ends) != 2 or not ends[0] < ends[1] or not all(map(math.isfinite, ends)):
        raise ValueError(f"an extent is a finite positive length or a pair (low, high) with low < high, got {extent}")
    return ends[0], ends[1]


def _faces(condition: str | Sequence[str]) -> Faces:
    pair = (condition, condition) if isinstance(condition, str) else tuple(condition)
    if len(pair) != 2:
        raise ValueError(f"an axis has one boundary condition or a pair (low face, high face), got {condition}")
    low, high = pair
    for name in (low, high):
        if name not in CONDITIONS:
            raise ValueError(f"unknown boundary condition {name!r}: expected one of {', '.join(CONDITIONS)}")
    if (low == "periodic") != (high == "periodic"):
        raise ValueError(f"an axis is periodic at both faces or at none, got ({low}, {high})")
    return cast(Faces, (low, high))
