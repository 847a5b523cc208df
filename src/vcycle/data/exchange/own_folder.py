"""The project's own folders: samples as pairs of functions, instants of one quantity as channels u_0, u_1, ..."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from vcycle.data.checks import require_numbers
from vcycle.data.dataset import Dataset
from vcycle.data.exchange.samples import Origin, Quantity, Samples
from vcycle.data.readers import Joined, Reader, Split
from vcycle.data.schema import DataError, Description, Fields, suggestion
from vcycle.data.splits import counts
from vcycle.data.store import store

INSTANT = re.compile(r"(.+)_(\d+)$")
Channel = tuple[str, str, int | None]  # its name, its field, the instant
Sides = tuple[list[Channel], list[Channel]]


def read_folder(folder: Path, split: str | None) -> Samples:
    """All samples of the main resolution, or one split; channels u_0, ..., u_T with known instants become one u."""
    dataset = Dataset.open(folder)
    taken = [dataset.split(split)] if split is not None else _main(dataset)
    source, about = Joined(taken), dataset.description
    channels = {name: (0, i) for i, name in enumerate(about.input_names)}
    channels |= {name: (1, i) for i, name in enumerate(about.output_names)}
    fields: dict[str, Quantity] = {}
    for name, parts in _joined(tuple(channels), len(about.times)).items():
        places = [channels[part] for part in parts]
        fields[name] = _channels(source, places, len(parts) > 1 or parts != [name], about.units.get(parts[0], ""))
    found = Samples(
        name=about.name,
        fields=fields,
        extents=about.domain.extents,
        boundary=about.domain.boundary,
        placement=about.placement,
        times=np.array(about.times) if any(q.timed for q in fields.values()) else None,
        origin=Origin(_common(dataset, taken), {part.name: len(part) for part in taken}),
    )
    return found.with_places()


def write_folder(
    samples: Samples,
    folder: Path,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    history: int | None,
    splits: Mapping[str, int | float] | None,
) -> Dataset:
    """Pairs: the inputs are fields without time and the first `history` instants, the outputs all later instants.

    Pairs that were ours keep their sides, their splits and their problem unless something else is asked for.
    """
    samples.require("boundary", "placement", "extents", "times")
    domain = samples.domain()
    before = samples.origin.description if samples.origin and inputs is outputs is history is None else None
    sides = None if before is None else _as_before(samples, before)
    if before is None or sides is None:
        before, sides = None, _sides(samples, inputs, outputs, 1 if history is None else history)
    if splits is None and samples.origin is not None:
        splits = samples.origin.splits
    names = tuple(tuple(label for label, _, _ in side) for side in sides)
    units = {label: samples.fields[name].unit for side in sides for label, name, _ in side if samples.fields[name].unit}
    about = Description(
        name=samples.name,
        domain=domain,
        placement=samples.placement or "cell",
        input_names=names[0],
        output_names=names[1],
        problem=before.problem if before is not None and _same_grid(samples, before) else None,
        units=units,
        source=f"converted from {samples.name}",
        times=() if samples.times is None else tuple(samples.times.tolist()),
    )
    reader = Pairs(samples, tuple((name, step) for _, name, step in sides[0]), tuple((n, s) for _, n, s in sides[1]))
    parts, start = {}, 0
    for name, size in counts(len(samples), splits).items():
        parts[name] = Split(name, reader, start, start + size)
        start += size
    return store(Dataset(about, parts), folder)


class Pairs(Reader):
    """Samples as pairs of channels (field, instant), read when they are needed."""

    def __init__(
        self, samples: Samples, inputs: tuple[tuple[str, int | None], ...], outputs: tuple[tuple[str, int | None], ...]
    ):
        self.samples, self.inputs, self.outputs = samples, inputs, outputs

    @property
    def resolution(self) -> tuple[int, ...]:
        return self.samples.shape

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, positions: np.ndarray) -> Fields:
        return Fields(*(self._side(side, positions) for side in (self.inputs, self.outputs)))

    def _side(self, side: tuple[tuple[str, int | None], ...], positions: np.ndarray) -> torch.Tensor:
        low, high = (int(positions.min()), int(positions.max()) + 1) if len(positions) else (0, 0)
        blocks = {}
        for name in dict.fromkeys(name for name, _ in side):
            blocks[name] = self.samples.fields[name].read(slice(low, high))[positions - low]
            require_numbers(blocks[name], f"{self.samples.name}: {name!r}")
        values = np.stack([blocks[n] if step is None else blocks[n][:, step] for n, step in side], 1)
        kind = np.float64 if values.dtype.kind != "f" or values.dtype.itemsize > 4 else np.float32
        return torch.from_numpy(values.astype(kind))


def _as_before(samples: Samples, pairs: Description) -> Sides | None:
    """The channels of a folder of ours, None where some of them were left out."""
    every = (channel for name in samples.fields for channel in _instants(samples, name, 0, None))
    channels = {label: (label, name, step) for label, name, step in every}
    if not channels.keys() >= {*pairs.input_names, *pairs.output_names}:
        return None
    return [channels[name] for name in pairs.input_names], [channels[name] for name in pairs.output_names]


def _same_grid(samples: Samples, pairs: Description) -> bool:
    """Whether nobody said otherwise of the domain, and so of the equation."""
    times = () if samples.times is None else tuple(samples.times.tolist())
    return (samples.domain(), samples.placement, times) == (pairs.domain, pairs.placement, tuple(pairs.times))


def _sides(samples: Samples, inputs: Sequence[str] | None, outputs: Sequence[str] | None, history: int) -> Sides:
    """What is asked for; without a word, all instants follow from the first ones and from what has no time."""
    if inputs is None and outputs is None and samples.timed:
        inputs, outputs = tuple(samples.fields), tuple(name for name, q in samples.fields.items() if q.timed)
    if not inputs or not outputs:
        known = ", ".join(samples.fields)
        raise DataError(
            f"{samples.name} has the fields {known}: say with --input-field and --output-field which is which"
        )
    for name in (*inputs, *outputs):
        if name not in samples.fields:
            raise DataError(f"{samples.name} has no field {name!r}{suggestion(name, list(samples.fields))}")
    for name in outputs:
        if name in inputs and samples.fields[name].timed and samples.fields[name].shape[1] == 1:
            raise DataError(
                f"{name!r} has a single instant, from which none follows: say with --input-field and --output-field "
                "which fields are which, each on one side"
            )
    sides = (
        [c for name in inputs for c in _instants(samples, name, 0, history)],
        [c for name in outputs for c in _instants(samples, name, history if name in inputs else 0, None)],
    )
    for side in sides:  # a state after the other, as the problems have them
        side.sort(key=lambda channel: -1 if channel[2] is None else channel[2])
    return sides


def _instants(samples: Samples, name: str, first: int, count: int | None) -> list[Channel]:
    """(channel, field, instant) of the instants first, first + 1, ... of a field."""
    quantity = samples.fields[name]
    if not quantity.timed:
        return [(name, name, None)]
    steps = range(quantity.shape[1])[first : None if count is None else first + count]
    if quantity.shape[1] > 1 and (len(steps) == 0 or (count is not None and count >= quantity.shape[1])):
        raise DataError(f"{name!r} has {quantity.shape[1]} instants: give a --history of 1 to {quantity.shape[1] - 1}")
    return [(f"{name}_{step}", name, step) for step in steps]


def _joined(channels: tuple[str, ...], instants: int) -> dict[str, list[str]]:
    """Channels that are all instants of one quantity, under its name."""
    groups: dict[str, list[str]] = {}
    for channel in channels:
        found = INSTANT.match(channel)
        groups.setdefault(found.group(1) if found and instants else channel, []).append(channel)
    joined: dict[str, list[str]] = {}
    for name, members in groups.items():
        whole = [f"{name}_{i}" for i in range(instants)]
        joined |= {name: whole} if sorted(members) == sorted(whole) and instants else {m: [m] for m in members}
    return joined


def _channels(source: Reader, places: list[tuple[int, int]], timed: bool, unit: str) -> Quantity:
    def read(rows: slice) -> np.ndarray:
        pairs = source.read(np.arange(rows.start, rows.stop))
        sides = (pairs.inputs, pairs.outputs)
        stacked = torch.stack([sides[side][:, channel] for side, channel in places], 1).numpy()
        return stacked if timed else stacked[:, 0]

    head = source.read(np.arange(1)).inputs.numpy()
    shape = (len(source), *((len(places),) if timed else ()), *head.shape[2:])
    return Quantity(shape, head.dtype, read, timed, unit)


def _common(dataset: Dataset, taken: Sequence[Split]) -> Description:
    """What holds for all that is taken: samples out of distribution solve a problem of their own."""
    shifted = dataset.manifest is not None and any(part.name in dataset.manifest.elsewhere for part in taken)
    return replace(dataset.description, problem=None) if shifted else dataset.description


def _main(dataset: Dataset) -> list[Split]:
    return [split for split in dataset.splits.values() if split.resolution == dataset.resolution]
