"""Batches read from disk when their step comes, with noise on their inputs if wanted."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data import Reader
from vcycle.training import Batch, Divisible, Order


@dataclass(frozen=True)
class ReaderStream(Divisible):
    """The batches of a FieldStream of the same seed, without the fields in memory.

    `noise` is the deviation of Gaussian noise per input channel; it depends on (seed, step) alone.
    """

    reader: Reader
    order: Order
    dtype: torch.dtype
    noise: Float[Tensor, " c"] | None = None

    def part(self, step: int, index: int, count: int) -> Batch:
        pairs = self.reader.read(self.order(step, index, count))
        inputs = pairs.inputs.to(self.dtype)
        if self.noise is not None:
            numbers = torch.Generator().manual_seed(self.order.seed ^ step)
            size = self.noise.to(inputs).view(1, -1, *[1] * (inputs.ndim - 2))
            # Drawn for the whole batch, so that a sample has the same noise whatever part it comes in.
            whole = torch.randn((self.order.batch, *inputs.shape[1:]), generator=numbers, dtype=self.dtype)
            inputs = inputs + size * Batch(whole).part(index, count).inputs
        return Batch(inputs, pairs.outputs.to(self.dtype))
