"""Pairs cut from stored trajectories: the next states, or any later state with the time to it. Read when needed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data.dataset import Dataset
from vcycle.data.readers import Reader, Split
from vcycle.data.schema import DataError, Fields
from vcycle.spaces import per_sample

INSTANT = re.compile(r"(.+)_(\d+)$")
LEAD = "lead"


@dataclass(frozen=True)
class States:
    """How the channels of a data set are states in time.

    fields      the functions that a state consists of
    fixed       inputs without time
    channels    the position of (instant, field) among all channels, inputs before outputs
    times       the instants
    """

    fields: tuple[str, ...]
    fixed: tuple[str, ...]
    channels: tuple[tuple[int, ...], ...]
    times: tuple[float, ...]

    @property
    def interval(self) -> float:
        return self.times[1] - self.times[0]

    def names(self, instants: Sequence[int]) -> tuple[str, ...]:
        return tuple(f"{name}_{i}" for i in instants for name in self.fields)

    def at(self, instants: Sequence[int]) -> list[int]:
        """The channels of these states, one state after the other."""
        return [channel for i in instants for channel in self.channels[i]]


def states(data: Dataset) -> States:
    """Channels u_0, u_1, ... as states; raises DataError where these are not whole trajectories."""
    names, times = (*data.input_names, *data.output_names), data.description.times
    found = {name: match for name in names if (match := INSTANT.match(name))}
    fields = tuple(dict.fromkeys(match.group(1) for match in found.values()))
    count = 1 + max((int(match.group(2)) for match in found.values()), default=-1)
    missing = [f"{f}_{i}" for i in range(count) for f in fields if f"{f}_{i}" not in names]
    fixed = tuple(name for name in data.input_names if name not in found)
    if count < 2 or missing or any(name not in found for name in data.output_names):
        raise DataError(
            f"{data.name!r} holds no trajectories ({', '.join(names)}): its channels are to be the states u_0, u_1, "
            "..., as generate makes them with snapshots and convert from files with time"
        )
    times = times if len(times) == count else tuple(map(float, range(count)))
    if not np.allclose(np.diff(times), times[1] - times[0], rtol=1e-6):
        raise DataError(
            f"the instants of {data.name!r} are not equally far apart: no one step leads from each to the next"
        )
    channels = tuple(tuple(names.index(f"{f}_{i}") for f in fields) for i in range(count))
    return States(fields, fixed, channels, times)


def windows(data: Dataset, history: int = 1, horizon: int = 1) -> Dataset:
    """Every run of `history` states with the `horizon` states that follow it."""
    found = states(data)
    starts = range(len(found.times) - history - horizon + 1)
    if not starts:
        raise DataError(
            f"the trajectories of {data.name!r} have {len(found.times)} states, {history} given and {horizon} later "
            "ones were asked for: take fewer"
        )
    fixed = [data.input_names.index(name) for name in found.fixed]
    given, later = range(history), range(history, history + horizon)
    inputs = [[*fixed, *found.at([start + i for i in given])] for start in starts]
    outputs = [found.at([start + i for i in later]) for start in starts]
    problem = data.build_problem()
    step = None if problem is None else problem.stepping(history, horizon)
    return _view(
        data,
        (inputs, outputs, None),
        (*found.fixed, *found.names(given)),
        found.names(later),
        None if step is None else step.to_dict(),
        tuple(i * found.interval for i in range(history + horizon)),
    )


def all_pairs(data: Dataset) -> Dataset:
    """Every state with every later one; the time between them is the last input, a constant function 'lead'."""
    found = states(data)
    fixed = [data.input_names.index(name) for name in found.fixed]
    both = list(combinations(range(len(found.times)), 2))
    inputs = [[*fixed, *found.at([i])] for i, _ in both]
    leads = [found.times[j] - found.times[i] for i, j in both]
    names = (*found.fixed, *found.names([0]), LEAD)
    return _view(data, (inputs, [found.at([j]) for _, j in both], leads), names, found.names([1]), None, ())


class Cuts(Reader):
    """Every trajectory of a reader as several pairs of channels; p is pair p % n of trajectory p // n."""

    def __init__(self, source: Reader, inputs: list[list[int]], outputs: list[list[int]], leads: list[float] | None):
        self.source = source
        self.inputs, self.outputs = torch.tensor(inputs), torch.tensor(outputs)
        self.leads = None if leads is None else torch.tensor(leads, dtype=torch.float64)

    @property
    def resolution(self) -> tuple[int, ...]:
        return self.source.resolution

    def __len__(self) -> int:
        return len(self.source) * len(self.inputs)

    def read(self, positions: np.ndarray) -> Fields:
        trajectories, pairs = np.divmod(positions, len(self.inputs))
        used, rows = np.unique(trajectories, return_inverse=True)
        whole = self.source.read(used)
        states, row, pair = torch.cat([whole.inputs, whole.outputs], 1), torch.from_numpy(rows), torch.from_numpy(pairs)
        inputs = states[row[:, None], self.inputs[pair]]
        if self.leads is not None:
            inputs = torch.cat([inputs, with_lead(inputs, self.leads[pair])], 1)
        return Fields(inputs, states[row[:, None], self.outputs[pair]])


def with_lead(inputs: Float[Tensor, "b c *grid"], lead: Float[Tensor, " b"]) -> Float[Tensor, "b 1 *grid"]:
    """The time to the output as a function on the grid."""
    return per_sample(lead.to(inputs), inputs).expand_as(inputs[:, :1])


def _view(
    data: Dataset,
    cuts: tuple[list[list[int]], list[list[int]], list[float] | None],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    problem: dict[str, Any] | None,
    times: tuple[float, ...],
) -> Dataset:
    splits = {}
    for name, split in data.splits.items():
        reader = Cuts(split, *cuts)
        splits[name] = Split(name, reader, 0, len(reader))
    units = {name: unit for name, unit in data.description.units.items() if name in (*inputs, *outputs)}
    about = replace(
        data.description, input_names=inputs, output_names=outputs, problem=problem, units=units, times=times
    )
    return replace(data, description=about, splits=splits)
