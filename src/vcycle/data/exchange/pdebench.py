"""PDEBench: HDF5 files in three layouts.

One array per field: (sample, time, *grid) beside x-coordinate, y-coordinate, t-coordinate; `nu` of Darcy flow has no
time. One group per sample ('0000', '0001', ...): data (time, *grid, channel) beside grid/x, grid/y, grid/t.
Incompressible flow: velocity, particles (sample, time, *grid, component) and force (sample, *grid, component) beside t.
The files say nothing of boundaries, units, placement or the order of fields; what is known is written as attributes.
Source: Takamoto et al., PDEBench, 2022, and the files of its data repository.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vcycle.data.exchange.samples import AXES, Quantity, Samples, in_order
from vcycle.data.formats import require_written
from vcycle.data.schema import DataError

COORDINATES = tuple(f"{name}-coordinate" for name in (*AXES, "t"))


def is_pdebench(file: h5py.File) -> bool:
    return "x-coordinate" in file or _incompressible(file) or bool(_groups(file))


def read_pdebench(path: Path) -> Samples:
    """The fields of a file; they are read when they are needed."""
    file = h5py.File(path, "r")
    if _incompressible(file):
        return _read_incompressible(file, path)
    found = _read_groups(file, path) if _groups(file) else _read_arrays(file, path)
    return found.with_places()


def write_pdebench(samples: Samples, path: Path) -> None:
    """One array per field, with single instants written as a time axis of one as Darcy's `tensor` has it."""
    axes = samples.require_grid()
    samples.require("times")
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for name, axis in zip(samples.names, axes, strict=True):
            file.create_dataset(f"{name}-coordinate", data=axis, track_times=False)
        if samples.times is not None:
            file.create_dataset("t-coordinate", data=samples.times, track_times=False)
        for name, quantity in samples.fields.items():
            array = file.create_dataset(name, quantity.shape, quantity.dtype, track_times=False)
            for rows in samples.blocks():
                array[rows] = quantity.read(rows)
            array.attrs["timed"] = quantity.timed
            if quantity.unit:
                array.attrs["units"] = quantity.unit
        file.attrs["fields"] = np.array(tuple(samples.fields), dtype=h5py.string_dtype())
        if samples.boundary is not None:
            file.attrs["boundary"] = np.array(samples.boundary, dtype=h5py.string_dtype())
        if samples.placement is not None:
            file.attrs["placement"] = samples.placement
        if samples.extents is not None:
            file.attrs["extents"] = np.array(samples.extents)
        for name, value in samples.scalars.items():
            file.attrs[name] = value


def _read_arrays(file: h5py.File, path: Path) -> Samples:
    axes = tuple(file[f"{name}-coordinate"][()] for name in AXES if f"{name}-coordinate" in file)
    times = file["t-coordinate"][()] if "t-coordinate" in file else None
    fields: dict[str, Quantity] = {}
    for name, array in file.items():
        if name in COORDINATES or not isinstance(array, h5py.Dataset) or array.ndim <= len(axes):
            continue
        timed = bool(array.attrs.get("timed", array.ndim == len(axes) + 2))
        quantity = Quantity.of(array, timed, str(array.attrs.get("units", "")))
        # Darcy's solution carries a time axis of one, but no instants.
        fields[name] = _without_time(quantity) if timed and times is None and array.shape[1] == 1 else quantity
    if times is not None:
        # The grid in time of these files has the end of the last interval too.
        steps = {quantity.shape[1] for quantity in fields.values() if quantity.timed}
        times = times[: steps.pop()] if len(steps) == 1 else times
    own = {"boundary", "placement", "extents", "fields"}
    boundary, extents = file.attrs.get("boundary"), file.attrs.get("extents")
    return Samples(
        name=path.stem,
        fields=in_order(fields, file.attrs.get("fields", ())),
        axes=axes,
        times=times,
        boundary=None if boundary is None else tuple((str(low), str(high)) for low, high in boundary),
        placement=file.attrs.get("placement"),
        extents=None if extents is None else tuple((float(low), float(high)) for low, high in extents),
        scalars={name: np.asarray(v) for name, v in file.attrs.items() if name not in own and _number(v)},
    )


def _read_groups(file: h5py.File, path: Path) -> Samples:
    groups = [file[name] for name in _groups(file)]
    first = groups[0]["data"]
    for group in groups:
        require_written(group["data"])
    axes = tuple(groups[0]["grid"][name][()] for name in AXES if name in groups[0]["grid"])

    def channel(number: int) -> Quantity:
        def read(rows: slice) -> np.ndarray:
            return np.stack([group["data"][..., number] for group in groups[rows]])

        return Quantity((len(groups), *first.shape[:-1]), first.dtype, read, timed=True)

    names = ["u"] if first.shape[-1] == 1 else [f"u_{number}" for number in range(first.shape[-1])]
    fields = {name: channel(number) for number, name in enumerate(names)}
    return Samples(path.stem, fields, axes=axes, times=groups[0]["grid"]["t"][()][: first.shape[0]])


def _read_incompressible(file: h5py.File, path: Path) -> Samples:
    fields: dict[str, Quantity] = {}
    dimension = file["velocity"].ndim - 3
    for name in ("velocity", "particles", "force"):
        if name in file:
            array = file[name]
            for number in range(array.shape[-1]):
                suffix = f"_{AXES[number]}" if array.shape[-1] > 1 else ""
                fields[name + suffix] = _component(array, number, timed=array.ndim == dimension + 3)
    times = np.atleast_2d(file["t"][()])
    if not (times == times[:1]).all():
        raise DataError(f"{path}: the samples have different instants: write those that agree to files of their own")
    return Samples(path.stem, fields, times=times[0])


def _component(array: h5py.Dataset, number: int, timed: bool) -> Quantity:
    require_written(array)
    return Quantity(array.shape[:-1], array.dtype, lambda rows: array[rows][..., number], timed)


def _incompressible(file: h5py.File) -> bool:
    return "velocity" in file and "t" in file and isinstance(file["velocity"], h5py.Dataset)


def _groups(file: h5py.File) -> list[str]:
    return sorted(name for name, item in file.items() if isinstance(item, h5py.Group) and "data" in item)


def _without_time(quantity: Quantity) -> Quantity:
    shape = (quantity.shape[0], *quantity.shape[2:])
    return Quantity(shape, quantity.dtype, lambda rows: quantity.read(rows)[:, 0], unit=quantity.unit)


def _number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiub"
