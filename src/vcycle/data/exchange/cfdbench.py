"""CFDBench: a folder per case with u.npy and v.npy, (time, y, x), and the case's numbers in case.json.

The folders of cases stand in bc, geo and prop, or directly in the folder given. Names of fields are names of files.
Source: Luo et al., CFDBench, 2023; times between frames: cavity 0.1, tube 0.01, dam 0.1, cylinder 0.001.
"""

import json
from pathlib import Path

import numpy as np

from vcycle.data.exchange.samples import Quantity, Samples
from vcycle.data.schema import DataError

TIME_STEPS = {"cavity": 0.1, "tube": 0.01, "dam": 0.1, "cylinder": 0.001}


def is_cfdbench(folder: Path) -> bool:
    return bool(_cases(folder))


def read_cfdbench(folder: Path, frames: int | None) -> Samples:
    """One sample per case: its first `frames` frames, all where every case has as many."""
    cases = _cases(folder)
    names = sorted(file.stem for file in cases[0].glob("*.npy"))
    fields = {name: _quantity([case / f"{name}.npy" for case in cases], frames) for name in names}
    tables = [json.loads((case / "case.json").read_text(encoding="utf-8")) for case in cases]
    common = [key for key in tables[0] if all(isinstance(table.get(key), int | float) for table in tables)]
    scalars = {key: np.array([float(table[key]) for table in tables]) for key in common}
    step = next((dt for name, dt in TIME_STEPS.items() if name in folder.resolve().as_posix().split("/")), None)
    steps = next(iter(fields.values())).shape[1] if fields else 0
    return Samples(
        name=folder.name,
        fields=fields,
        extents=_extents(scalars),
        times=None if step is None else step * np.arange(steps),
        scalars=scalars,
    )


def write_cfdbench(samples: Samples, folder: Path) -> None:
    """case0000, case0001, ... in the folder."""
    if len(samples.shape) != 2 or samples.mesh is not None or not all(q.timed for q in samples.fields.values()):
        raise DataError(f"CFDBench holds functions of time on plane grids, {samples.name} has others: use another --to")
    for rows in samples.blocks():
        blocks = {name: quantity.read(rows) for name, quantity in samples.fields.items()}
        for row, number in enumerate(range(rows.start, rows.stop)):
            case = folder / f"case{number:04d}"
            case.mkdir(parents=True, exist_ok=True)
            for name, block in blocks.items():
                np.save(case / f"{name}.npy", np.ascontiguousarray(block[row].swapaxes(1, 2)), allow_pickle=False)
            numbers = {k: float(v if v.ndim == 0 else v[number]) for k, v in samples.scalars.items() if v.ndim < 2}
            (case / "case.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def _cases(folder: Path) -> list[Path]:
    return sorted(file.parent for pattern in ("case*", "*/case*") for file in folder.glob(f"{pattern}/case.json"))


def _quantity(files: list[Path], frames: int | None) -> Quantity:
    missing = next((file for file in files if not file.exists()), None)
    if missing is not None:
        raise DataError(f"{missing} is missing: every case needs the same fields")
    # Opened by each read: a set has more cases than a process may have open files.
    heads = [np.load(file, mmap_mode="r", allow_pickle=False) for file in files[:1]]
    lengths = [_length(file, heads[0].shape[1:]) for file in files]
    steps = min(lengths) if frames is None else frames
    if (frames is None and max(lengths) > steps) or min(lengths) < steps:
        raise DataError(
            f"the cases have {min(lengths)} to {max(lengths)} frames: give --frames N, at most {min(lengths)}, to take "
            "the first N of every case"
        )

    def read(rows: slice) -> np.ndarray:
        blocks = [np.load(file, mmap_mode="r", allow_pickle=False)[:steps] for file in files[rows]]
        return np.stack(blocks).swapaxes(2, 3)

    rows, columns = heads[0].shape[1:]
    return Quantity((len(files), steps, columns, rows), heads[0].dtype, read, timed=True)


def _length(file: Path, grid: tuple[int, ...]) -> int:
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    if array.ndim != 3 or array.shape[1:] != grid:
        raise DataError(f"{file} has the shape {array.shape}, expected (time, {', '.join(map(str, grid))})")
    return array.shape[0]


def _extents(scalars: dict[str, np.ndarray]) -> tuple[tuple[float, float], ...] | None:
    """(0, width) x (0, height) where all cases share them."""
    sides = [scalars.get(name) for name in ("width", "height")]
    if any(side is None or np.ptp(side) > 0 or side[0] <= 0 for side in sides):
        return None
    return tuple((0.0, float(side[0])) for side in sides if side is not None)
