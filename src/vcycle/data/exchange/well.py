"""The Well: HDF5 files (n_trajectories, n_steps, *grid), one group for scalars, vectors and tensors each.

Components of vectors and tensors are fields of their own here: `velocity` is velocity_x, velocity_y, and back.
Exact conditions ('dirichlet', 'neumann'), placement, extents and the order of fields stand in attributes of our own,
whose own words for a boundary are 'periodic', 'wall' and 'open'.
Source: the format description of The Well, PolymathicAI/the_well, docs/data_format.md.
"""

from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vcycle.data.exchange.samples import AXES, Conditions, Quantity, Samples, in_order
from vcycle.data.formats import require_written
from vcycle.data.layout import BC_TYPE
from vcycle.data.schema import DataError

TEXT = h5py.string_dtype()


def is_well(file: h5py.File) -> bool:
    return "t0_fields" in file and "dimensions" in file


def read_well(path: Path) -> Samples:
    """The fields of a file; they are read when they are needed."""
    file = h5py.File(path, "r")
    dimensions = file["dimensions"]
    names = _texts(dimensions.attrs["spatial_dims"])
    axes = tuple(dimensions[name][()] for name in names)
    shape, count = tuple(map(len, axes)), int(file.attrs["n_trajectories"])
    times = _times(dimensions["time"], path)
    fields: dict[str, Quantity] = {}
    for order in range(3):
        for name in _texts(file[f"t{order}_fields"].attrs["field_names"]):
            array = file[f"t{order}_fields"][name]
            for component, suffix in enumerate(_suffixes(order, names)):
                fields[name + suffix] = _quantity(array, count, shape, order, component)
    timed = any(quantity.timed for quantity in fields.values())
    extents = dimensions.attrs.get("extents")
    found = Samples(
        name=str(file.attrs.get("dataset_name", path.stem)),
        fields=in_order(fields, file.attrs.get("fields", ())),
        axes=axes,
        extents=None if extents is None else tuple((float(low), float(high)) for low, high in extents),
        boundary=_boundary(file["boundary_conditions"], names),
        placement=dimensions.attrs.get("placement"),
        times=times if timed else None,
        scalars=_scalars(file, len(times)),
    )
    return found.with_places()


def write_well(samples: Samples, path: Path) -> None:
    """One file; scalars, and the components of vectors and tensors, where the format wants them."""
    axes = samples.require_grid()
    samples.require("boundary", "times")
    names = samples.names
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        constants = {name: value for name, value in samples.scalars.items() if np.ndim(value) == 0}
        file.attrs["dataset_name"] = samples.name
        file.attrs["grid_type"] = "cartesian"
        file.attrs["n_spatial_dims"] = len(axes)
        file.attrs["n_trajectories"] = len(samples)
        file.attrs["fields"] = _words(samples.fields)
        file.attrs["simulation_parameters"] = _words(constants)
        for name, value in constants.items():
            file.attrs[name] = value
        dimensions = file.create_group("dimensions")
        dimensions.attrs["spatial_dims"] = _words(names)
        if samples.placement is not None:
            dimensions.attrs["placement"] = samples.placement
        if samples.extents is not None:
            dimensions.attrs["extents"] = np.array(samples.extents)
        _put(dimensions, "time", np.zeros(1) if samples.times is None else samples.times, False, False)
        for name, axis in zip(names, axes, strict=True):
            _put(dimensions, name, axis, False, False)
        _write_boundary(file.create_group("boundary_conditions"), samples)
        scalars = file.create_group("scalars")
        varying = {name: value for name, value in samples.scalars.items() if np.ndim(value) > 0}
        scalars.attrs["field_names"] = _words(varying)
        for name, value in varying.items():
            _put(scalars, name, np.asarray(value), True, np.ndim(value) == 2)
        groups = _grouped(tuple(samples.fields), names)
        for order in range(3):
            group = file.create_group(f"t{order}_fields")
            group.attrs["field_names"] = _words(groups[order])
            for name, members in groups[order].items():
                _write_field(group, name, [samples.fields[m] for m in members], samples, order)


def _quantity(array: h5py.Dataset, count: int, shape: tuple[int, ...], order: int, component: int) -> Quantity:
    """One component as (sample, [time,] *grid); what does not vary is repeated."""
    require_written(array)
    by_sample, by_time = bool(array.attrs["sample_varying"]), bool(array.attrs["time_varying"])
    varies = np.asarray(array.attrs.get("dim_varying", np.ones(len(shape), bool)), bool)
    steps = array.shape[int(by_sample)] if by_time else 0
    target = (steps, *shape) if by_time else shape

    def read(rows: slice) -> np.ndarray:
        block = array[rows] if by_sample else array[()][None]
        if order:
            block = block.reshape(*block.shape[: block.ndim - order], -1)[..., component]
        missing = [1 + by_time + axis for axis, varying in enumerate(varies) if not varying]
        block = np.expand_dims(block, tuple(missing))
        return np.broadcast_to(block, (rows.stop - rows.start, *target))

    unit = str(array.attrs.get("units", ""))
    return Quantity((count, *target), array.dtype, read, by_time, unit)


def _times(array: h5py.Dataset, path: Path) -> np.ndarray:
    times = array[()]
    if times.ndim == 2:
        if not (times == times[:1]).all():
            raise DataError(
                f"{path}: the samples have different instants: write those that agree to files of their own"
            )
        times = times[0]
    return times


def _scalars(file: h5py.File, steps: int) -> dict[str, np.ndarray]:
    count = int(file.attrs["n_trajectories"])
    found: dict[str, Any] = {}
    for name in _texts(file.attrs.get("simulation_parameters", np.array([], dtype=TEXT))):
        found[name] = np.asarray(file.attrs[name])
    for name in _texts(file["scalars"].attrs["field_names"]):
        array, value = file["scalars"][name], file["scalars"][name][()]
        by_sample, by_time = bool(array.attrs["sample_varying"]), bool(array.attrs["time_varying"])
        if by_time and not by_sample:
            value = np.broadcast_to(value, (count, steps))
        found[name] = value if by_sample or by_time else value.reshape(())
    return found


def _boundary(group: h5py.Group, names: tuple[str, ...]) -> Conditions | None:
    """(low, high) per axis; our own exact condition where it is written, else the layout's word. None if unclear."""
    faces: dict[str, dict[str, str]] = {name: {} for name in names}
    for entry in group.values():
        dims = _texts(entry.attrs["associated_dims"])
        word = str(entry.attrs.get("condition", entry.attrs["bc_type"])).lower()
        mask = np.asarray(entry["mask"][()], bool)
        if len(dims) != 1 or mask.ndim != 1:
            return None  # conditions on a body inside the box, which no pair of faces says
        for side, marked in (("low", mask[0]), ("high", mask[-1])):
            if marked:
                faces[dims[0]][side] = word
    if any(set(sides) != {"low", "high"} for sides in faces.values()):
        return None
    return tuple((sides["low"], sides["high"]) for sides in faces.values())


def _write_boundary(group: h5py.Group, samples: Samples) -> None:
    for axis, faces in enumerate(samples.boundary or ()):
        for side, condition in zip(("low", "high"), faces, strict=True):
            mask = np.zeros(samples.shape[axis], bool)
            mask[0 if side == "low" else -1] = True
            face = group.create_group(f"{AXES[axis]}_{side}")
            face.attrs["associated_dims"] = _words((AXES[axis],))
            face.attrs["associated_fields"] = _words(())
            face.attrs["bc_type"] = BC_TYPE.get(condition, condition)
            face.attrs["condition"] = condition
            face.attrs["sample_varying"] = face.attrs["time_varying"] = False
            face.create_dataset("mask", data=mask)


def _write_field(group: h5py.Group, name: str, members: list[Quantity], samples: Samples, order: int) -> None:
    one, size = members[0], len(samples.names)
    tail = (size,) * order
    array = group.create_dataset(name, (*one.shape, *tail), one.dtype, track_times=False)
    for rows in samples.blocks():
        block = np.stack([member.read(rows) for member in members], -1)
        array[rows] = block.reshape(*block.shape[:-1], *tail)
    array.attrs["dim_varying"] = np.ones(size, bool)
    array.attrs["sample_varying"], array.attrs["time_varying"] = True, one.timed
    array.attrs["units"] = one.unit
    if order == 2:
        array.attrs["symmetric"] = array.attrs["antisymmetric"] = False


def _grouped(fields: tuple[str, ...], names: tuple[str, ...]) -> tuple[dict[str, list[str]], ...]:
    """The fields as scalars, vectors and tensors: name_x, name_y (all of them) are the vector `name`."""
    groups: tuple[dict[str, list[str]], ...] = ({}, {}, {})
    left = list(fields)
    for order in (2, 1):
        suffixes = _suffixes(order, names)
        for field in fields:
            stem = field.removesuffix(suffixes[0])
            members = [stem + suffix for suffix in suffixes]
            if len(names) > 1 and stem != field and stem and all(member in left for member in members):
                groups[order][stem] = members
                left = [name for name in left if name not in members]
    groups[0].update({name: [name] for name in left})
    return groups


def _suffixes(order: int, names: tuple[str, ...]) -> list[str]:
    """'' for a scalar, _x, _y for a vector, _xx, _xy, _yx, _yy for a tensor."""
    return ["".join(["_", *part]) if order else "" for part in product(names, repeat=order)]


def _put(group: h5py.Group, name: str, values: np.ndarray, by_sample: bool, by_time: bool) -> None:
    array = group.create_dataset(name, data=values, track_times=False)
    array.attrs["sample_varying"], array.attrs["time_varying"] = by_sample, by_time


def _texts(words: Any) -> tuple[str, ...]:
    return tuple(word.decode() if isinstance(word, bytes) else str(word) for word in words)


def _words(words: Any) -> np.ndarray:
    return np.array(tuple(words), dtype=TEXT)
