"""Named arrays out of the files that people have: .npz, .npy, .mat, .h5, .pt. Nothing is ever unpickled."""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import torch
from torch import Tensor

from vcycle.data.schema import DataError, suggestion

Arrays = dict[str, np.ndarray]


def read_arrays(path: Path, names: Sequence[str]) -> Arrays:
    """The arrays of these names, whole, as they are stored.

    .npy and a .pt with a bare tensor hold one array, which takes the one name asked for; the members of a tuple of
    tensors are called '0', '1', ...; arrays inside the groups of an HDF5 file are called 'group/array'.
    MATLAB's files of version 7.3 are HDF5 with the axes reversed; they are turned back.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path} has the suffix {path.suffix!r}, readable are {', '.join(READERS)}: convert it to one of them"
        )
    if not path.is_file():
        raise DataError(f"{path} does not exist: check the name; a relative one counts from {Path.cwd()}")
    try:
        return reader(path, names)
    except DataError:
        raise
    except Exception as error:  # the libraries of five formats raise a dozen kinds of errors on damaged files
        if "pickle" in str(error) or "Weights only" in str(error):
            raise DataError(_pickled(path)) from error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{path} cannot be read as {path.suffix}, it may be damaged ({reason:.120})") from error


def _npy(path: Path, names: Sequence[str]) -> Arrays:
    return _single(path, names, np.load(path, allow_pickle=False))


def _npz(path: Path, names: Sequence[str]) -> Arrays:
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an .npz archive: write it with numpy.savez")
    with np.load(path, allow_pickle=False) as archive:
        _require(path, names, archive.files)
        return {name: archive[name] for name in names}


def _mat(path: Path, names: Sequence[str]) -> Arrays:
    if h5py.is_hdf5(path):
        return {name: array.T for name, array in _hdf5(path, names).items()}
    _require(path, names, [name for name, _, _ in scipy.io.whosmat(path)])
    found = scipy.io.loadmat(path, variable_names=list(names))
    for name in names:
        if not isinstance(found[name], np.ndarray) or found[name].dtype.kind in "OV":
            raise DataError(f"{path}: {name!r} is a cell, a struct or sparse: save it as a plain full array")
    return {name: found[name] for name in names}


def _hdf5(path: Path, names: Sequence[str]) -> Arrays:
    with h5py.File(path, "r") as file:
        present: list[str] = []
        file.visititems(lambda name, item: present.append(name) if isinstance(item, h5py.Dataset) else None)
        names_here = [name.strip("/") for name in names]
        _require(path, names_here, present)
        for name in names_here:
            require_written(file[name])
        return {asked: file[name][()] for asked, name in zip(names, names_here, strict=True)}


def _torch(path: Path, names: Sequence[str]) -> Arrays:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, Tensor):
        return _single(path, names, _numpy(path, names[0], content))
    if isinstance(content, tuple | list):
        content = {str(position): value for position, value in enumerate(content)}
    if not isinstance(content, dict):
        raise DataError(f"{path} holds a {type(content).__name__}: save a tensor, a tuple or a dictionary of tensors")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    _require(path, names, list(tensors))
    return {name: _numpy(path, name, tensors[name]) for name in names}


READERS: dict[str, Callable[[Path, Sequence[str]], Arrays]] = {
    ".npz": _npz,
    ".npy": _npy,
    ".mat": _mat,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".pt": _torch,
    ".pth": _torch,
}


def _single(path: Path, names: Sequence[str], array: np.ndarray) -> Arrays:
    if len(names) != 1:
        raise DataError(
            f"{path} holds one array without a name, {len(names)} were asked for ({', '.join(names)}): put them into "
            "one .npz, or name a pair of files, inputs and outputs, in an own-data YAML (train: [a.npy, u.npy])"
        )
    return {names[0]: array}


def _numpy(path: Path, name: str, tensor: Tensor) -> np.ndarray:
    if tensor.layout != torch.strided:
        raise DataError(f"{path}: {name!r} is a sparse tensor: save it dense")
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().resolve_conj().numpy()


def _require(path: Path, names: Iterable[str], present: Sequence[str]) -> None:
    for name in names:
        if name not in present:
            raise DataError(f"{path} has no field {name!r}{suggestion(name, present)}")


def require_written(array: h5py.Dataset) -> None:
    """HDF5 reads parts that were never written, and lost sources of virtual data, as zeros without a word."""
    path = Path(array.file.filename)
    if array.is_virtual:
        for source in array.virtual_sources():
            file = path if source.file_name == "." else path.parent / source.file_name
            if not file.exists():
                raise DataError(
                    f"{path}: {array.name!r} refers to {source.file_name}, which is missing: copy it beside the file"
                )
            with h5py.File(file, "r") as other:
                _require(
                    file, [source.dset_name.strip("/")], [source.dset_name.strip("/")] * (source.dset_name in other)
                )
                require_written(other[source.dset_name])
        return
    if array.size == 0:
        return
    if array.chunks is None:
        written, total, kind = array.id.get_storage_size(), array.size * array.dtype.itemsize, "bytes"
        compact = array.id.get_create_plist().get_layout() == h5py.h5d.COMPACT
        missing = not compact and written < total
    else:
        total = int(np.prod([-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True)]))
        written, kind = array.id.get_num_chunks(), "chunks"
        missing = written < total
    if missing:
        raise DataError(
            f"{path}: only {written} of {total} {kind} of {array.name!r} were ever written: finish the file first"
        )


def _pickled(path: Path) -> str:
    return (
        f"{path} holds pickled objects or is damaged; pickles can run code when they are opened and are refused: "
        "save plain arrays of numbers"
    )
