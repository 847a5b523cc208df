"""Batches as a pure function of the step number, so that a resumed run sees exactly the batches it would have seen."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import generator


@dataclass(frozen=True)
class Batch:
    """Some inputs and, where labels exist, the outputs that belong to them; physical units."""

    inputs: Float[Tensor, "b c_in *grid"]
    targets: Float[Tensor, "b c_out *grid"] | None = None

    def to(self, device: torch.device, dtype: torch.dtype) -> "Batch":
        targets = None if self.targets is None else self.targets.to(device, dtype, non_blocking=True)
        return Batch(self.inputs.to(device, dtype, non_blocking=True), targets)

    def part(self, index: int, count: int) -> "Batch":
        """The samples at these places(0, b, index, count) of all b."""
        if count == 1:
            return self
        where = places(0, len(self.inputs), index, count)
        chosen = slice(where.start, where.stop)
        return Batch(self.inputs[chosen], None if self.targets is None else self.targets[chosen])


Stream = Callable[[int], Batch]
Loss = Callable[[Float[Tensor, "b c *grid"], Batch], Float[Tensor, " b"]]
Forward = Callable[[nn.Module, Batch, int], tuple[Tensor, Batch]]


def once(network: nn.Module, batch: Batch, step: int) -> tuple[Tensor, Batch]:
    """The network's answer to the inputs, to be compared with the batch as it is."""
    return network(batch.inputs), batch


class Divisible(ABC):
    """A stream that makes a part of a batch without the rest of it."""

    @abstractmethod
    def part(self, step: int, index: int, count: int) -> Batch:
        """The same as stream(step).part(index, count)."""

    def __call__(self, step: int) -> Batch:
        return self.part(step, 0, 1)


def share(stream: Stream, index: int, count: int) -> Stream:
    """The part `index` of `count` of every batch."""
    if isinstance(stream, Divisible):
        return lambda step: stream.part(step, index, count)
    return lambda step: stream(step).part(index, count)


def places(step: int, batch: int, index: int = 0, count: int = 1) -> range:
    """The places s b, ..., s b + b - 1 that step s takes in an endless row, or those of one of `count` equal parts.

    Raises ValueError where parts cannot be equal: the mean of their losses would not be that of the batch.

    >>> places(2, 6), places(2, 6, index=1, count=3)
    (range(12, 18), range(14, 16))
    """
    part, rest = divmod(batch, count)
    if rest:
        raise ValueError(
            f"{batch} samples cannot be divided into {count} equal parts: the number of processes times accumulate "
            "must divide the batch"
        )
    start = step * batch + index * part
    return range(start, start + part)


@dataclass(frozen=True)
class Order:
    """Which of n samples a step takes: step s takes the places s b, ..., s b + b - 1 of the row of all epochs.

    The order within an epoch is a permutation drawn from (seed, epoch). Epochs follow each other without a gap, so
    every batch is full and every sample is seen equally often, whatever the batch size.
    """

    samples: int
    batch: int
    seed: int
    _order: Callable[[int], np.ndarray] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = self.samples
        if n == 0 or self.batch < 1:
            raise ValueError(f"a stream needs at least one sample and one sample a batch, got {n} and {self.batch}")
        object.__setattr__(
            self, "_order", lru_cache(maxsize=4)(lambda epoch: generator(self.seed, epoch).permutation(n))
        )

    @property
    def steps_per_epoch(self) -> float:
        return self.samples / self.batch

    def __call__(self, step: int, index: int = 0, count: int = 1) -> np.ndarray:
        """The samples of a step, or of the part `index` of `count` of its batch."""
        row = places(step, self.batch, index, count)
        return np.array([self._order(p // self.samples)[p % self.samples] for p in row])


@dataclass(frozen=True)
class FieldStream(Divisible):
    """Fields in memory, shuffled in an Order.

    >>> stream = FieldStream(torch.arange(3.0).view(3, 1, 1), None, batch=3, seed=7)
    >>> sorted(stream(5).inputs.flatten().tolist())
    [0.0, 1.0, 2.0]
    """

    inputs: Float[Tensor, "n c_in *grid"]
    targets: Float[Tensor, "m c_out *grid"] | None
    batch: int
    seed: int
    order: Order = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n, labels = len(self.inputs), self.targets
        object.__setattr__(self, "order", Order(n, self.batch, self.seed))
        if labels is not None and len(labels) != n:
            raise ValueError(f"a stream needs as many outputs as inputs, got {len(labels)} and {n}")

    @property
    def steps_per_epoch(self) -> float:
        return self.order.steps_per_epoch

    def part(self, step: int, index: int, count: int) -> Batch:
        chosen = torch.from_numpy(self.order(step, index, count))
        return Batch(self.inputs[chosen], None if self.targets is None else self.targets[chosen])
