"""Batches read from disk when their step comes, with noise on their inputs if wanted."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.data import Reader
from vcycle.training import Batch, Order


@dataclass(frozen=True)
class ReaderStream:
    """The batches of a FieldStream of the same seed, without the fields in memory.

    `noise` is the deviation of Gaussian noise per input channel; it depends on (seed, step) alone.
    """

    reader: Reader
    order: Order
    dtype: torch.dtype
    noise: Float[Tensor, " c"] | None = None

    def __call__(self, step: int) -> Batch:
        pairs = self.reader.read(self.order(step))
        inputs = pairs.inputs.to(self.dtype)
        if self.noise is not None:
            numbers = torch.Generator().manual_seed(self.order.seed ^ step)
            size = self.noise.to(inputs).view(1, -1, *[1] * (inputs.ndim - 2))
            inputs = inputs + size * torch.randn(inputs.shape, generator=numbers, dtype=self.dtype)
        return Batch(inputs, pairs.outputs.to(self.dtype))
