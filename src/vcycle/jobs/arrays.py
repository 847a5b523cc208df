"""Arrays in .npy files, never unpickled."""

from pathlib import Path

import numpy as np


def read_array(source: str | Path | np.ndarray) -> np.ndarray:
    """An array as it is, or from a .npy file; one sentence for what cannot be read."""
    if isinstance(source, np.ndarray):
        return source
    file = Path(source)
    if not file.is_file():
        raise ValueError(f"there is no file {file}: give the .npy file that holds the inputs")
    try:
        array = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{file} cannot be read as a .npy array of numbers: save it with numpy.save") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"{file} does not hold one array of real numbers: save the inputs alone with numpy.save")
    return array.astype(np.float64)


def write_array(target: str | Path, array: np.ndarray) -> Path:
    """Write a .npy file, folders included, and return its path."""
    file = Path(target)
    file = file if file.suffix == ".npy" else file.with_name(file.name + ".npy")
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, array, allow_pickle=False)
    return file
