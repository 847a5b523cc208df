"""Batches as a pure function of the step number, so that a resumed run sees exactly the batches it would have seen."""

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


Stream = Callable[[int], Batch]
Loss = Callable[[Float[Tensor, "b c *grid"], Batch], Float[Tensor, " b"]]
Forward = Callable[[nn.Module, Batch, int], tuple[Tensor, Batch]]


def once(network: nn.Module, batch: Batch, step: int) -> tuple[Tensor, Batch]:
    """The network's answer to the inputs, to be compared with the batch as it is."""
    return network(batch.inputs), batch


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

    def __call__(self, step: int) -> np.ndarray:
        positions = range(step * self.batch, (step + 1) * self.batch)
        return np.array([self._order(p // self.samples)[p % self.samples] for p in positions])


@dataclass(frozen=True)
class FieldStream:
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

    def __call__(self, step: int) -> Batch:
        chosen = torch.from_numpy(self.order(step))
        return Batch(self.inputs[chosen], None if self.targets is None else self.targets[chosen])
