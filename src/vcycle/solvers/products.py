"""Products of every sample of a batch with itself or another field, shaped (b, 1, ...) to scale fields by them."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import per_sample

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, "b *ones"]


def dot(u: Field, v: Field) -> PerSample:
    """(u, v), Euclidean."""
    return per_sample((u * v).flatten(1).sum(1), u)


def norm(u: Field, weight: Field | None = None) -> PerSample:
    """(u, w u)^(1/2), w = 1 if not given."""
    return dot(u, u if weight is None else u * weight).sqrt()


def guarded(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """x, or 1 where x is 0: a quotient is then 0 / 1."""
    return torch.where(x == 0, 1.0, x)
