"""NetCDF: version 4 (which is HDF5) both ways, version 3 to read; what xarray, CDO, ParaView and climate models share.

Dimensions sample, time and x, y, z by name, in any order; units as in the CF conventions; meshes as arrays in VTK's
numbering. The boundary, the placement, the extents and the order of the fields are attributes of the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from vcycle.data.exchange.samples import AXES, Conditions, Mesh, Quantity, Samples, in_order
from vcycle.data.formats import require_written
from vcycle.data.schema import DataError
from vcycle.spaces import Placement

SAMPLE = ("sample", "trajectory", "case", "member", "realization", "ensemble", "batch")
TIME = ("time", "t")
SPACE = {"x": 0, "lon": 0, "longitude": 0, "y": 1, "lat": 1, "latitude": 1, "z": 2, "lev": 2, "level": 2, "depth": 2}
PLACES: dict[str, Placement] = {"node": "vertex", "face": "cell"}
MESH = ("mesh", "mesh_points", "mesh_connectivity", "mesh_offsets", "mesh_types")


@dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions; both versions of the format are read into these."""

    values: Any
    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any]


def read_netcdf(path: Path) -> Samples:
    """All variables that depend on space; they are read when they are needed."""
    variables, attributes = _read_4(path) if h5py.is_hdf5(path) else _read_3(path)
    mesh = _mesh(variables)
    space = _space(variables, mesh)
    fields, scalars = {}, {}
    for name, variable in variables.items():
        if name in MESH or name in variable.dimensions:
            continue
        if set(variable.dimensions) & set(space):
            fields[name] = _quantity(path, name, variable, space)
        elif set(variable.dimensions) <= {*SAMPLE, *TIME} and np.asarray(variable.values[()]).dtype.kind in "fiu":
            scalars[name] = np.asarray(variable.values[()])
    times = next((np.asarray(v.values[()]) for n, v in variables.items() if n in TIME), None)
    axes = tuple(np.asarray(variables[n].values[()]) for n in space if n in variables)
    extents, boundary = attributes.get("extents"), attributes.get("boundary")
    placement: Any = PLACES.get(space[0]) if mesh is not None else attributes.get("placement")
    found = Samples(
        name=str(attributes.get("title", path.stem)),
        fields=in_order(fields, attributes.get("fields", ())),
        axes=axes if mesh is None and len(axes) == len(space) else None,
        mesh=mesh,
        extents=None if extents is None else tuple((float(a), float(b)) for a, b in np.reshape(extents, (-1, 2))),
        boundary=None if boundary is None else _conditions(str(boundary)),
        placement=placement,
        times=_native(times) if times is not None and any(q.timed for q in fields.values()) else None,
        scalars=scalars,
    )
    return found.with_places()


def write_netcdf(samples: Samples, path: Path) -> None:
    """Version 4."""
    samples.require("times")
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["Conventions"], file.attrs["title"] = "CF-1.11", samples.name
        scales = {"sample": np.arange(len(samples), dtype=np.int32)}
        if samples.times is not None:
            scales["time"] = samples.times
        if samples.mesh is None:
            scales |= dict(zip(samples.names, samples.require_grid(), strict=True))
            space = samples.names
        else:
            samples.require("placement")
            space = (next(name for name, place in PLACES.items() if place == samples.placement),)
            scales[space[0]] = np.arange(samples.shape[0], dtype=np.int32)
            _write_mesh(file, samples.mesh)
        file.attrs["fields"] = np.array(tuple(samples.fields), dtype=h5py.string_dtype())
        if samples.placement is not None and samples.mesh is None:
            file.attrs["placement"] = samples.placement
        if samples.extents is not None:
            file.attrs["extents"] = np.reshape(samples.extents, -1)
        if samples.boundary is not None:
            file.attrs["boundary"] = ", ".join(" ".join(faces) for faces in samples.boundary)
        for name, values in scales.items():
            scale = file.create_dataset(name, data=values, track_times=False)
            scale.make_scale(name)
            if name in AXES or name == "time":
                scale.attrs["axis"] = "T" if name == "time" else name.upper()
        for name, quantity in samples.fields.items():
            if name in scales:
                raise DataError(f"the field {name!r} has the name of a coordinate: rename it in the source")
            array = file.create_dataset(name, quantity.shape, quantity.dtype, track_times=False)
            for rows in samples.blocks():
                array[rows] = quantity.read(rows)
            _attach(array, file, ("sample", *(("time",) if quantity.timed else ()), *space))
            array.attrs["units"] = quantity.unit
        for name, value in samples.scalars.items():
            array = file.create_dataset(name, data=value, track_times=False)
            _attach(array, file, ("sample", "time")[: np.ndim(value)])


def _attach(array: h5py.Dataset, file: h5py.File, names: tuple[str, ...]) -> None:
    for axis, name in enumerate(names):
        array.dims[axis].attach_scale(file[name])


def _read_4(path: Path) -> tuple[dict[str, Variable], Mapping[str, Any]]:
    file = h5py.File(path, "r")
    variables = {}
    for name, item in file.items():
        if isinstance(item, h5py.Dataset):
            scales = [d[0].name.rsplit("/", 1)[-1] if len(d) else f"{name}_{i}" for i, d in enumerate(item.dims)]
            dimensions = (name,) if item.is_scale and item.ndim == 1 else tuple(scales)
            variables[name] = Variable(item, dimensions, _texts(item.attrs))
    return variables, _texts(file.attrs)


def _read_3(path: Path) -> tuple[dict[str, Variable], Mapping[str, Any]]:
    file = scipy.io.netcdf_file(path, "r", mmap=False)
    variables = {
        name: Variable(item.data, tuple(item.dimensions), _texts(item._attributes))
        for name, item in file.variables.items()
    }
    return variables, _texts(file._attributes)


def _space(variables: Mapping[str, Variable], mesh: Mesh | None) -> tuple[str, ...]:
    """The dimensions in space, x before y before z where their names tell."""
    names = [d for name, v in variables.items() if name not in MESH for d in v.dimensions]
    space = [d for d in dict.fromkeys(names) if d not in (*SAMPLE, *TIME)]
    if mesh is not None:
        return tuple(d for d in space if d in PLACES)[:1]
    return tuple(sorted(space, key=lambda d: SPACE.get(d, len(AXES))))


def _quantity(path: Path, name: str, variable: Variable, space: tuple[str, ...]) -> Quantity:
    if {"scale_factor", "add_offset"} & set(variable.attributes):
        raise DataError(
            f"{path}: {name!r} is packed into integers: unpack it first (xarray does on reading and writing)"
        )
    if isinstance(variable.values, h5py.Dataset):
        require_written(variable.values)
    missing = [d for d in space if d not in variable.dimensions]
    if missing:
        raise DataError(f"{path}: {name!r} does not depend on {missing[0]}: choose fields that do with --fields")
    samples = [d for d in variable.dimensions if d in SAMPLE]
    instants = [d for d in variable.dimensions if d in TIME]
    wanted = (*samples[:1], *instants[:1], *space)
    order = [variable.dimensions.index(d) for d in wanted]
    sizes = tuple(variable.values.shape[axis] for axis in order)
    fill = variable.attributes.get("_FillValue", variable.attributes.get("missing_value"))

    def read(rows: slice) -> np.ndarray:
        where: list[Any] = [slice(None)] * len(order)
        if samples:
            where[order[0]] = rows
        block = _native(np.asarray(variable.values[tuple(where)])).transpose(order)
        if fill is not None and bool((block == np.asarray(fill).reshape(-1)[0]).any()):
            raise DataError(f"{path}: {name!r} has missing values: fill them or cut them out first")
        return block if samples else block[None]

    dtype = np.dtype(variable.values.dtype).newbyteorder("=")
    unit = variable.attributes.get("units", "")
    return Quantity(sizes if samples else (1, *sizes), dtype, read, bool(instants), str(unit))


def _mesh(variables: Mapping[str, Variable]) -> Mesh | None:
    if "mesh_connectivity" not in variables:
        return None
    return Mesh(*(np.asarray(variables[name].values[()]) for name in MESH[1:]))


def _write_mesh(file: h5py.File, mesh: Mesh) -> None:
    about = file.create_dataset("mesh", data=np.int32(0), track_times=False)
    about.attrs["cf_role"], about.attrs["node_coordinates"] = "mesh_topology", "mesh_points"
    parts = (mesh.points, mesh.connectivity, mesh.offsets, mesh.types)
    for name, part in zip(MESH[1:], parts, strict=True):
        file.create_dataset(name, data=part, track_times=False)


def _conditions(text: str) -> Conditions:
    """'periodic periodic, dirichlet neumann' as pairs."""
    pairs = [part.split(" ") for part in text.split(", ")]
    return tuple((low, high) for low, high in pairs)


def _native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _texts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with their texts as str."""
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()}
