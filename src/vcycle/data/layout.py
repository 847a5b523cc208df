"""One shard: an HDF5 file in the group layout of The Well, with the same bytes whenever the same fields are written.

Fields of a steady problem are constant in time: arrays (n_trajectories, *grid) in `t0_fields`, which the reader of
The Well serves as constant fields (n_steps_output=0). The exact boundary conditions, the placement and the extents
stand in attributes of our own beside those of the layout.
Source: the format description of The Well, PolymathicAI/the_well, docs/data_format.md.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
import torch

from vcycle.data.readers import Reader
from vcycle.data.schema import DataError, Description, Fields
from vcycle.spaces import Grid

AXES = ("x", "y", "z")
BC_TYPE = {"periodic": "periodic", "dirichlet": "wall", "neumann": "wall"}
TEXT = h5py.string_dtype()


def write_shard(path: Path, fields: Fields, indices: tuple[int, ...], about: Description) -> None:
    """Write the samples with the given indices; the precision is that of the fields."""
    shape = tuple(fields.inputs.shape[2:])
    axes = AXES[: len(shape)]
    # One fixed version of the file format and no time stamps: the bytes depend on the arguments alone.
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["dataset_name"] = about.name
        file.attrs["grid_type"] = "cartesian"
        file.attrs["n_spatial_dims"] = len(shape)
        file.attrs["n_trajectories"] = len(indices)
        file.attrs["simulation_parameters"] = _texts(())
        _write_dimensions(file.create_group("dimensions"), about, shape)
        _write_boundary(file.create_group("boundary_conditions"), about, shape)
        scalars = file.create_group("scalars")
        scalars.attrs["field_names"] = _texts(("sample_index",))
        _write_array(scalars, "sample_index", np.array(indices, dtype=np.int64), sample_varying=True)
        for order in range(3):
            file.create_group(f"t{order}_fields").attrs["field_names"] = _texts(())
        group = file["t0_fields"]
        group.attrs["field_names"] = _texts(about.input_names + about.output_names)
        for names, values in ((about.input_names, fields.inputs), (about.output_names, fields.outputs)):
            for channel, name in enumerate(names):
                array = _write_array(group, name, values[:, channel].numpy(), sample_varying=True)
                array.attrs["dim_varying"] = np.ones(len(axes), dtype=bool)
                array.attrs["units"] = about.units.get(name, "")


@dataclass(frozen=True)
class Shard(Reader):
    """The samples of one file; the file is opened on first use, once in every process."""

    path: Path
    sha256: str
    samples: int
    grid: tuple[int, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    @property
    def resolution(self) -> tuple[int, ...]:
        return self.grid

    def __len__(self) -> int:
        return self.samples

    def read(self, positions: np.ndarray) -> Fields:
        inputs, outputs = _opened(self, os.getpid())
        return Fields(_take(inputs, positions), _take(outputs, positions))


Arrays = tuple[h5py.Dataset, ...]


@lru_cache(maxsize=256)
def _opened(shard: Shard, process: int) -> tuple[Arrays, Arrays]:
    """The arrays of the open file. A forked process opens its own; a file written anew has another checksum."""
    del process
    try:
        group = h5py.File(shard.path, "r")["t0_fields"]
        inputs, outputs = (tuple(group[name] for name in names) for names in (shard.input_names, shard.output_names))
    except (OSError, KeyError) as error:
        raise DataError(f"{shard.path} cannot be read ({error}): run the command that made the data again") from error
    return inputs, outputs


def _take(arrays: Arrays, positions: np.ndarray) -> torch.Tensor:
    """The fields as channels at these positions, in any order and with repetitions; one block where they are dense."""
    out = np.empty((len(positions), len(arrays), *arrays[0].shape[1:]), dtype=arrays[0].dtype)
    low, high = (int(positions.min()), int(positions.max()) + 1) if len(positions) else (0, 0)
    for channel, array in enumerate(arrays):
        if high - low <= 2 * len(positions):
            out[:, channel] = array[low:high][positions - low]
        else:
            for row, position in enumerate(positions.tolist()):
                out[row, channel] = array[position]
    return torch.from_numpy(out)


def _write_dimensions(group: h5py.Group, about: Description, shape: tuple[int, ...]) -> None:
    axes = AXES[: len(shape)]
    group.attrs["spatial_dims"] = _texts(axes)
    group.attrs["placement"] = about.placement
    group.attrs["extents"] = np.array(about.domain.extents, dtype=np.float64)
    _write_array(group, "time", np.zeros(1), sample_varying=False)
    grid = Grid(about.domain, shape, about.placement)
    for axis, name in enumerate(axes):
        _write_array(group, name, grid.axis(axis).numpy(), sample_varying=False)


def _write_boundary(group: h5py.Group, about: Description, shape: tuple[int, ...]) -> None:
    """One entry per face; the mask marks the points next to it."""
    for axis, faces in enumerate(about.domain.boundary):
        for side, condition in zip(("low", "high"), faces, strict=True):
            mask = np.zeros(shape[axis], dtype=bool)
            mask[0 if side == "low" else -1] = True
            face = group.create_group(f"{AXES[axis]}_{side}")
            face.attrs["associated_dims"] = _texts((AXES[axis],))
            face.attrs["associated_fields"] = _texts(about.output_names if condition == "dirichlet" else ())
            face.attrs["bc_type"] = BC_TYPE[condition]
            face.attrs["condition"] = condition
            face.attrs["sample_varying"] = face.attrs["time_varying"] = False
            face.create_dataset("mask", data=mask)
            if condition == "dirichlet":
                face.create_dataset("values", data=np.zeros(1))


def _write_array(group: h5py.Group, name: str, values: np.ndarray, sample_varying: bool) -> h5py.Dataset:
    array = group.create_dataset(name, data=np.ascontiguousarray(values), track_times=False)
    array.attrs["sample_varying"] = sample_varying
    array.attrs["time_varying"] = False
    return array


def _texts(words: tuple[str, ...]) -> np.ndarray:
    return np.array(words, dtype=TEXT)
