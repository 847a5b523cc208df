"""Samples by position: from memory, from several parts in a row, or through the window of a split."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vcycle.data.schema import DataError, Fields

Indices = Sequence[int] | np.ndarray | Tensor


class Reader(ABC):
    """A sequence of samples at one resolution."""

    @property
    @abstractmethod
    def resolution(self) -> tuple[int, ...]:
        """The shape of the grid."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of samples."""

    @abstractmethod
    def read(self, positions: np.ndarray) -> Fields:
        """The samples at 0 <= position < len, in the order asked for."""


@dataclass(frozen=True)
class Memory(Reader):
    """Samples that are held in tensors."""

    fields: Fields

    @property
    def resolution(self) -> tuple[int, ...]:
        return tuple(self.fields.inputs.shape[2:])

    def __len__(self) -> int:
        return len(self.fields)

    def read(self, positions: np.ndarray) -> Fields:
        where = torch.from_numpy(positions)
        return Fields(self.fields.inputs[where], self.fields.outputs[where])


class Joined(Reader):
    """Parts in a row: position p belongs to the first part whose last position is not below p."""

    def __init__(self, parts: Sequence[Reader]):
        self.parts = tuple(parts)
        self.stops = np.cumsum([len(part) for part in self.parts])

    @property
    def resolution(self) -> tuple[int, ...]:
        return self.parts[0].resolution

    def __len__(self) -> int:
        return int(self.stops[-1])

    def read(self, positions: np.ndarray) -> Fields:
        owner = np.searchsorted(self.stops, positions, side="right")
        used = np.unique(owner) if len(positions) else np.zeros(1, dtype=np.int64)
        pieces, places = [], []
        for number in used:
            place = np.flatnonzero(owner == number)
            part = self.parts[number]
            pieces.append(part.read(positions[place] - (self.stops[number] - len(part))))
            places.append(place)
        if len(pieces) == 1:
            return pieces[0]
        where = torch.from_numpy(np.concatenate(places))
        inputs, outputs = (torch.cat(piece) for piece in zip(*((p.inputs, p.outputs) for p in pieces), strict=True))
        return Fields(
            torch.empty_like(inputs).index_copy_(0, where, inputs),
            torch.empty_like(outputs).index_copy_(0, where, outputs),
        )


class Split(Reader):
    """A named range of samples of a reader, itself counted from 0."""

    def __init__(self, name: str, source: Reader, start: int, stop: int):
        self.name, self.source, self.start, self.stop = name, source, start, stop

    @property
    def resolution(self) -> tuple[int, ...]:
        return self.source.resolution

    def __len__(self) -> int:
        return self.stop - self.start

    def read(self, positions: Indices) -> Fields:
        """The samples at these positions of the split, in the order asked for, as they are stored."""
        return self.source.read(checked(positions, len(self), f"split {self.name!r}") + self.start)

    def to_memory(self) -> "Split":
        """The same split, read once and held in tensors."""
        return Split(self.name, Memory(self.read(range(len(self)))), 0, len(self))

    def __repr__(self) -> str:
        return f"Split({self.name!r}: {len(self)} samples at {' x '.join(map(str, self.resolution))})"


def checked(positions: Indices, count: int, what: str) -> np.ndarray:
    """Positions as integers within 0 <= position < count, or a DataError."""
    array = np.asarray(positions, dtype=np.int64).reshape(-1)
    if len(array) and not 0 <= array.min() <= array.max() < count:
        wrong = array[(array < 0) | (array >= count)][0]
        raise DataError(f"{what} has samples 0 to {count - 1}, sample {wrong} was asked for")
    return array
