"""A user's own pairs: arrays from files, checked, and served like generated data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from vcycle.data.checks import require_boundary, require_no_repeated_end, require_numbers, require_single_precision
from vcycle.data.dataset import Dataset, grid_name
from vcycle.data.formats import read_arrays
from vcycle.data.readers import Memory, Split
from vcycle.data.schema import DataError, Description, Fields, suggestion
from vcycle.data.splits import counts
from vcycle.spaces import Domain, Placement

FileSpec = str | Path | tuple[str | Path, str | Path]
Place = Literal["first", "last"]


def read_own(
    files: Mapping[str, FileSpec],
    inputs: Sequence[str],
    outputs: Sequence[str],
    domain: Domain,
    *,
    name: str = "own",
    placement: Placement = "cell",
    units: Mapping[str, str] | None = None,
    channels: Place = "first",
    samples: Place = "first",
    validation: float = 0.1,
    splits: Mapping[str, int | float] | None = None,
    training: bool = False,
) -> Dataset:
    """Pairs of arrays (sample, *grid), with or without an axis of channels, from .npz, .npy, .mat, .h5 or .pt files.

    files         'train', optionally 'validation', 'calibration' and any test sets ('test', 'test_32', ...), each at
                  its own resolution; or {'all': file}, cut by `splits` (as in `generate`). A pair of files holds the
                  inputs and the outputs apart, as .npy must
    inputs        names of the arrays that become the input channels, in order; `outputs` likewise
    channels      where the axis of channels stands in arrays that have one: before the grid, or last
    samples       where the axis of samples stands: first, or behind all others as in many files of MATLAB
    units         unit of a channel by its name
    training      open neither calibration nor test sets: the data set is closed to them
    validation    the fraction cut from the end of 'train' where no 'validation' is given; tests are never cut

    Values keep their precision; booleans and integers become floats. The arrays are read whole into memory.
    Raises DataError for anything but finite pairs on one grid that suits the domain.
    """
    _check_request(files, inputs, outputs, validation, splits)
    if training:
        files = {split: spec for split, spec in files.items() if split in ("train", "validation", "all")}
    stored = _Axes(domain.dimension, channels, samples)
    pairs = {split: _read_pairs(spec, inputs, outputs, stored) for split, spec in files.items()}
    first, some = next(iter(pairs.items()))
    about = Description(
        name=name,
        domain=domain,
        placement=placement,
        input_names=some.input_names,
        output_names=some.output_names,
        problem=None,
        units=dict(units or {}),
        source=f"read from {', '.join(_show(spec) for spec in files.values())}",
    )
    for split, pair in pairs.items():
        if (pair.input_names, pair.output_names) != (about.input_names, about.output_names):
            raise DataError(
                f"{split!r} maps {pair.input_names} to {pair.output_names}, but {first!r} maps {about.input_names} to "
                f"{about.output_names}: every split needs the same channels"
            )
        if placement == "vertex":
            both = torch.cat([pair.fields.inputs, pair.fields.outputs], 1)
            require_no_repeated_end(both, domain, _show(files[split]))
            require_boundary(pair.fields.outputs, about.output_names, domain, _show(files[split]))
    readers = {split: Memory(pair.fields) for split, pair in pairs.items()}
    if "all" in readers:
        data = Dataset(about, _cut(readers["all"], counts(len(readers["all"]), splits)))
    else:
        data = Dataset(about, _named_splits(readers, validation))
    return data.for_training() if training else data


def _named_splits(readers: Mapping[str, Memory], validation: float) -> dict[str, Split]:
    """One split per file, with a validation split cut from the end of the training file where there is none."""
    train = len(readers["train"])
    held_out = 0 if "validation" in readers else max(1, round(validation * train))
    if held_out == train:
        raise DataError("the training file has 1 sample: give more, or a file for 'validation'")
    splits = _cut(readers["train"], {"train": train - held_out, "validation": held_out})
    return splits | {name: Split(name, reader, 0, len(reader)) for name, reader in readers.items() if name != "train"}


def _cut(reader: Memory, sizes: Mapping[str, int]) -> dict[str, Split]:
    """Consecutive ranges of one reader."""
    splits, start = {}, 0
    for name, size in sizes.items():
        splits[name] = Split(name, reader, start, start + size)
        start += size
    return splits


@dataclass(frozen=True)
class _Pairs:
    """The pairs of one split and the names of their channels."""

    fields: Fields
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]


@dataclass(frozen=True)
class _Axes:
    """How arrays are stored: a grid of so many axes, with channels and samples before or behind it."""

    dimension: int
    channels: Place
    samples: Place


def _read_pairs(spec: FileSpec, inputs: Sequence[str], outputs: Sequence[str], stored: _Axes) -> _Pairs:
    paths = _paths(spec)
    if len(paths) == 1:
        arrays = read_arrays(paths[0], [*inputs, *outputs])
        sides = [[(paths[0], name, arrays[name]) for name in names] for names in (inputs, outputs)]
    else:
        sides = [
            [(path, name, array) for name, array in read_arrays(path, names).items()]
            for path, names in zip(paths, (inputs, outputs), strict=True)
        ]
    tables = [[_table(path, name, array, stored) for path, name, array in side] for side in sides]
    _check_pairs([entry[:2] for side in sides for entry in side], [table for side in tables for table in side])
    precision = np.result_type(np.float32, *(table.dtype for side in tables for table in side))
    # Torch has nothing beyond double precision.
    precision = min(precision, np.dtype(np.float64), key=lambda dtype: dtype.itemsize)
    values = (torch.from_numpy(np.concatenate(side, axis=1, dtype=precision, casting="same_kind")) for side in tables)
    names = (
        tuple(channel for (_, name, _), table in zip(*both, strict=True) for channel in _channel_names(name, table))
        for both in zip(sides, tables, strict=True)
    )
    return _Pairs(Fields(*values), *names)


def _table(path: Path, name: str, array: np.ndarray, stored: _Axes) -> np.ndarray:
    """The array as (sample, channel, *grid)."""
    what, dimension = f"{path}: {name!r}", stored.dimension
    require_numbers(array, what)
    if array.ndim not in (dimension + 1, dimension + 2):
        axes = "1 axis" if dimension == 1 else f"{dimension} axes"
        raise DataError(
            f"{what} has the shape {array.shape}, but the domain has {axes}: "
            f"expected (sample, {', '.join('xyz'[:dimension])}), with or without an axis of channels"
        )
    require_single_precision(array, what)
    if stored.samples == "last":
        array = np.moveaxis(array, -1, 0)
    if array.ndim == dimension + 1:
        array = array[:, None]
    elif stored.channels == "last":
        array = np.moveaxis(array, -1, 1)
    if min(array.shape[:2]) < 1 or min(array.shape[2:]) < 2:
        raise DataError(
            f"{what} has the shape {array.shape} as (sample, channel, *grid), and there is nothing to learn from: give "
            "samples of 2 points or more per axis, or say `channels: last` or `samples: last` in an own-data YAML "
            "where these axes stand behind the grid"
        )
    return array


def _check_pairs(origins: Sequence[tuple[Path, str]], tables: Sequence[np.ndarray]) -> None:
    for (path, name), table in zip(origins, tables, strict=True):
        if len(table) != len(tables[0]) or table.shape[2:] != tables[0].shape[2:]:
            found, expected = (f"{len(t)} samples at {grid_name(t.shape[2:])}" for t in (table, tables[0]))
            raise DataError(
                f"{path}: {name!r} has {found}, but {origins[0][1]!r} has {expected}: pairs need the same samples on "
                "one grid (an axis of channels stands after the samples, or last with channels='last')"
            )


def _channel_names(name: str, table: np.ndarray) -> list[str]:
    """The last part of an array's path, numbered where there are several channels."""
    short, count = name.rsplit("/", 1)[-1], table.shape[1]
    return [short] if count == 1 else [f"{short}_{channel}" for channel in range(count)]


def _check_request(
    files: Mapping[str, FileSpec],
    inputs: Sequence[str],
    outputs: Sequence[str],
    validation: float,
    splits: Mapping[str, int | float] | None,
) -> None:
    if not inputs or not outputs:
        raise DataError(f"name at least one input and one output field, got {list(inputs)} and {list(outputs)}")
    known = ["train", "validation", "calibration", "test", "all"]
    for split in files:
        if split not in known and not split.startswith(("test", "calibration")):
            raise DataError(
                f"unknown split {split!r}{suggestion(split, known)}, and further names that begin with 'test'"
            )
    if ("all" not in files and "train" not in files) or ("all" in files and len(files) > 1):
        raise DataError(
            f"give a file for 'train' and any others, or one for 'all' alone; got {', '.join(files) or 'none'}"
        )
    if splits is not None and "all" not in files:
        raise DataError(
            "splits are for the one file 'all'; files for 'train', 'validation' and 'test' are split already"
        )
    if not 0 < validation < 1:
        raise DataError(
            f"validation is the held-out fraction of the training samples, between 0 and 1, got {validation}"
        )
    seen: dict[tuple[Path, ...], str] = {}
    for split, spec in files.items():
        other = seen.setdefault(tuple(path.resolve() for path in _paths(spec)), split)
        if other != split:
            raise DataError(
                f"{other!r} and {split!r} are the same file, {_show(spec)}: use 'all' to have one file split"
            )


def _paths(spec: FileSpec) -> tuple[Path, ...]:
    return tuple(map(Path, spec)) if isinstance(spec, tuple) else (Path(spec),)


def _show(spec: FileSpec) -> str:
    return " and ".join(str(path) for path in _paths(spec))
