"""Functions of (sample, time, place) with what their numbers mean: what every format is read into and written from."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import h5py
import numpy as np

from vcycle.data.formats import require_written
from vcycle.data.schema import DataError, Description
from vcycle.spaces import Domain, Grid, Placement

AXES = ("x", "y", "z")
BLOCK_BYTES = 2**26
Conditions = tuple[tuple[str, str], ...]  # those of a Domain, and 'wall' and 'open' where a file says no more


@dataclass(frozen=True)
class Quantity:
    """One function, read by samples when it is needed: values (sample, [time,] *grid)."""

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[slice], np.ndarray]
    timed: bool = False
    unit: str = ""

    @classmethod
    def of(cls, values: np.ndarray | h5py.Dataset, timed: bool = False, unit: str = "") -> "Quantity":
        """An array in memory or in an open HDF5 file whose axes stand in order."""
        if isinstance(values, h5py.Dataset):
            require_written(values)
        return cls(tuple(values.shape), values.dtype, lambda rows: np.asarray(values[rows]), timed, unit)

    @property
    def place(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return self.shape[1 + self.timed :]

    def whole(self) -> np.ndarray:
        return self.read(slice(0, self.shape[0]))


@dataclass(frozen=True)
class Mesh:
    """Points (n, 3) and cells in VTK's numbering: cell c joins connectivity[offsets[c - 1]:offsets[c]]."""

    points: np.ndarray
    connectivity: np.ndarray
    offsets: np.ndarray
    types: np.ndarray


@dataclass(frozen=True)
class Origin:
    """What a folder of ours says of its samples: inputs and outputs, the problem, and how many each split has."""

    description: Description
    splits: Mapping[str, int]


@dataclass(frozen=True)
class Samples:
    """Quantities that share samples, instants and places; None stands for what a file does not say.

    axes        coordinates along x, y, z; or the `mesh` that the values belong to
    extents     of the domain, per axis
    boundary    conditions per axis, (low face, high face)
    times       the instants of the timed quantities
    scalars     numbers beside the fields: (), (sample,) or (sample, time)
    origin      the folder of ours that they come from
    """

    name: str
    fields: Mapping[str, Quantity]
    axes: tuple[np.ndarray, ...] | None = None
    mesh: Mesh | None = None
    extents: tuple[tuple[float, float], ...] | None = None
    boundary: Conditions | None = None
    placement: Placement | None = None
    times: np.ndarray | None = None
    scalars: Mapping[str, np.ndarray] = field(default_factory=dict)
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if not self.fields:
            raise DataError(f"{self.name} holds no fields: check that it is the file you mean")
        (first, one), *others = self.fields.items()
        for name, other in others:
            if (other.shape[0], other.place) != (one.shape[0], one.place):
                raise DataError(
                    f"{self.name}: {name!r} has the shape {other.shape}, {first!r} has {one.shape}: all fields need "
                    "the same samples on one grid; name those that belong together with --fields"
                )
        for name, each in self.fields.items():
            if each.timed and self.times is not None and each.shape[1] != len(self.times):
                raise DataError(
                    f"{self.name}: {name!r} has {each.shape[1]} instants, the file names {len(self.times)}: "
                    "give --time-step"
                )

    def __len__(self) -> int:
        return next(iter(self.fields.values())).shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.fields.values())).place

    @property
    def timed(self) -> bool:
        return any(quantity.timed for quantity in self.fields.values())

    @property
    def names(self) -> tuple[str, ...]:
        return AXES[: len(self.shape)]

    def blocks(self) -> list[slice]:
        """Ranges of samples that fit into memory together."""
        size = max(int(np.prod(q.shape[1:])) * q.dtype.itemsize for q in self.fields.values())
        step = max(1, BLOCK_BYTES // max(size, 1))
        return [slice(start, min(start + step, len(self))) for start in range(0, len(self), step)]

    def with_given(
        self,
        boundary: Any = None,
        extents: Any = None,
        placement: Placement | None = None,
        time_step: float | None = None,
        fields: Sequence[str] | None = None,
    ) -> "Samples":
        """With what a person says about them; coordinates follow from the extents that are given."""
        kept = self if fields is None else replace(self, fields={name: self.fields[name] for name in fields})
        if boundary is not None:
            kept = replace(kept, boundary=Domain([1.0] * len(self.shape), boundary).boundary)
        if placement is not None:
            kept = replace(kept, placement=placement)
        if extents is not None:
            domain = Domain(extents, "neumann")
            if domain.dimension != len(self.shape):
                raise DataError(f"{self.name} has {len(self.shape)} axes, --extents names {domain.dimension}")
            kept = replace(kept, extents=domain.extents, axes=None)
        if time_step is not None:
            steps = next((q.shape[1] for q in self.fields.values() if q.timed), 0)
            kept = replace(kept, times=time_step * np.arange(steps, dtype=np.float64))
        return kept.with_places()

    def with_places(self) -> "Samples":
        """With extents from the coordinates, or coordinates from the extents, where enough is known."""
        if self.mesh is not None or self.placement is None:
            return self
        if self.axes is None:
            if self.extents is None or self.boundary is None:
                return self
            grid = Grid(_grid_domain(self.extents, self.boundary), self.shape, self.placement)
            return replace(self, axes=tuple(grid.axis(axis).numpy() for axis in range(len(self.shape))))
        if self.extents is None and (self.boundary is not None or self.placement == "cell"):
            conditions = self.boundary or (("neumann", "neumann"),) * len(self.axes)
            ends = (
                _ends(axis, self.placement, c[0] == "periodic") for axis, c in zip(self.axes, conditions, strict=True)
            )
            return replace(self, extents=tuple(ends))
        return self

    def require(self, *wanted: str) -> None:
        """Raises DataError with the option that says what the source does not."""
        options = {"boundary": "--boundary", "placement": "--placement", "axes": "--extents", "extents": "--extents"}
        if self.timed:
            options["times"] = "--time-step"
        missing = [name for name in wanted if name in options and vars(self)[name] is None]
        if self.axes is not None and len(missing) > 1:
            missing = [name for name in missing if name != "extents"]  # they follow from coordinates and the others
        if not missing:
            return
        needed = [options[name] for name in missing]
        if "--extents" in needed:  # coordinates follow from the extents together with these two
            needed += [option for option in ("--boundary", "--placement") if vars(self)[option[2:]] is None]
        words = ["grid" if name == "axes" else name for name in missing]
        raise DataError(f"{self.name} does not say its {_listed(words)}: give {_listed(list(dict.fromkeys(needed)))}")

    def require_grid(self) -> tuple[np.ndarray, ...]:
        """The coordinates; raises DataError on a mesh."""
        if self.mesh is not None:
            raise DataError(f"{self.name} lies on a mesh, which this format does not hold: use --to vtu or netcdf")
        self.require("axes")
        return self.axes or ()

    def domain(self) -> Domain:
        """The domain; raises DataError where the boundary is known no closer than 'wall' or 'open'."""
        self.require("boundary", "placement", "extents")
        for faces in self.boundary or ():
            if {"wall", "open"} & set(faces):
                raise DataError(
                    f"{self.name} calls its boundary {'|'.join(faces)}: say with --boundary whether it is dirichlet "
                    "or neumann"
                )
        return Domain(self.extents or (), self.boundary or ())


def _listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def in_order(fields: Mapping[str, Quantity], names: Any) -> dict[str, Quantity]:
    """The fields in the order of a file's list of names, others at the end; HDF5 itself knows the alphabet alone."""
    return {name: fields[name] for name in (*map(str, np.ravel(names)), *fields) if name in fields}


def uniform(axis: np.ndarray) -> bool:
    """Whether the points are equally far apart, up to single precision."""
    gaps = np.diff(axis.astype(np.float64))
    size = np.abs(axis).max(initial=0.0) * 4 * np.finfo(axis.dtype if axis.dtype.kind == "f" else np.float64).eps
    return bool(len(gaps)) and bool((gaps > 0).all()) and bool(np.ptp(gaps) <= 1e-6 * gaps.mean() + 2 * size)


def _ends(axis: np.ndarray, placement: Placement, periodic: bool) -> tuple[float, float]:
    if not uniform(axis):
        raise DataError(
            "the points of an axis are not equally far apart, from low to high: interpolate to a uniform grid first"
        )
    low, high = float(axis[0]), float(axis[-1])
    spacing = (high - low) / (len(axis) - 1)
    if placement == "cell":
        low, high = low - spacing / 2, high + spacing / 2
    elif periodic:
        high += spacing
    # Coordinates in single precision say 0.99999994 for 1.
    digits = (5 if axis.dtype.itemsize < 8 else 13) - math.floor(math.log10(high - low))
    return round(low, digits), round(high, digits)


def _grid_domain(extents: tuple[tuple[float, float], ...], boundary: Conditions) -> Domain:
    return Domain(extents, ["periodic" if "periodic" in faces else "neumann" for faces in boundary])
