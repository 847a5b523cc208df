"""Files of bare arrays: .mat of MATLAB 5 and 7.3 (those of the FNO and MgNO papers), .npz and plain HDF5.

A field is (sample, *grid), or (sample, *grid, time) with time last as the Navier-Stokes files have it. The files say
nothing but the numbers: --boundary, --extents and --placement say the rest, --fields which arrays are meant.
"""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from vcycle.data.exchange.samples import Quantity, Samples
from vcycle.data.formats import read_arrays
from vcycle.data.schema import DataError

HEADER = b"MATLAB 7.3 MAT-file, Platform: any, Created by: vcycle".ljust(116, b" ") + bytes(8) + b"\x00\x02IM"
MATLAB_5_LIMIT = 2**31


def read_bare(path: Path, fields: Sequence[str] | None, dimension: int | None) -> Samples:
    """The named arrays, or all that have the axes of a field; `dimension` is the number of axes in space."""
    if dimension is None:
        raise DataError(f"{path} holds bare arrays: give --extents, --boundary and --placement to say what they mean")
    present = _shapes(path)
    if fields is None and not present:
        raise DataError(f"{path} says what its arrays are called only when it is read: name them with --fields")
    names = list(fields) if fields is not None else [n for n, s in present.items() if len(s) > dimension and s[0] > 1]
    instants = "t" if "t" in present and "t" not in names else None
    arrays = read_arrays(path, [*names, *([instants] if instants else [])])
    times = arrays.pop("t").reshape(-1) if instants else None
    quantities = {}
    for name, array in arrays.items():
        if array.ndim not in (dimension + 1, dimension + 2):
            raise DataError(f"{path}: {name!r} has the shape {array.shape}, expected (sample, *grid) or with time last")
        timed = array.ndim == dimension + 2
        quantities[name] = Quantity.of(np.moveaxis(array, -1, 1) if timed else array, timed)
    return Samples(path.stem, quantities, times=times if any(q.timed for q in quantities.values()) else None)


def write_mat(samples: Samples, path: Path) -> None:
    """MATLAB 5 where the arrays fit, else 7.3; time last, instants as `t`, coordinates as `x`, `y`, `z`."""
    content = _content(samples)
    if max(array.nbytes for array in content.values()) < MATLAB_5_LIMIT:
        with path.open("wb") as file:
            scipy.io.savemat(file, content)
    else:
        write_mat73(samples, path)


def write_mat73(samples: Samples, path: Path) -> None:
    """HDF5 behind MATLAB's header, axes reversed."""
    with h5py.File(path, "w", userblock_size=512, libver=("earliest", "v110")) as file:
        for name, array in _content(samples).items():
            stored = file.create_dataset(name, data=array.T, track_times=False)
            stored.attrs["MATLAB_class"] = np.bytes_({"f4": "single"}.get(array.dtype.str[1:], "double"))
    with path.open("r+b") as file:
        file.write(HEADER)


def write_npz(samples: Samples, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **_content(samples))


def _content(samples: Samples) -> dict[str, np.ndarray]:
    """All arrays; a name that the coordinates need is a field's first."""
    content: dict[str, np.ndarray] = {}
    for name, quantity in samples.fields.items():
        array = quantity.whole()
        content[name] = np.moveaxis(array, 1, -1) if quantity.timed else array
    coordinates = dict(zip(samples.names, samples.axes or (), strict=False))
    if samples.times is not None:
        coordinates["t"] = samples.times
    return content | {name: axis[None] for name, axis in coordinates.items() if name not in content}


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The arrays of a file, none where only reading all of it would tell; the one in an .npy is called as the file."""
    if path.suffix in (".pt", ".pth"):
        return {}
    if path.suffix == ".npy":
        return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False).shape}
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name].shape for name in archive.files}
    if path.suffix == ".mat" and not h5py.is_hdf5(path):
        return {name: tuple(shape) for name, shape, _ in scipy.io.whosmat(path)}
    shapes: dict[str, tuple[int, ...]] = {}
    with h5py.File(path, "r") as file:
        turn = -1 if path.suffix == ".mat" else 1
        file.visititems(
            lambda name, item: shapes.update({name: item.shape[::turn]}) if isinstance(item, h5py.Dataset) else None
        )
    return shapes
