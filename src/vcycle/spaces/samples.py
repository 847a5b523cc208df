"""A number per sample beside a field per sample."""

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor


def per_sample(numbers: Shaped[Tensor, " b"], u: Shaped[Tensor, "b *rest"]) -> Shaped[Tensor, "b *ones"]:
    """The numbers in the shape (b, 1, ..., 1), so that they scale or choose the samples of u.

    >>> per_sample(torch.tensor([1.0, 2.0]), torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 1, 1, 1])
    """
    return numbers.view(-1, *[1] * (u.ndim - 1))


def finite(u: Shaped[Tensor, "b *rest"]) -> Bool[Tensor, " b"]:
    """Whether all values of a sample are finite.

    >>> finite(torch.tensor([[1.0, 2.0], [3.0, float("nan")]]))
    tensor([ True, False])
    """
    return torch.isfinite(u).flatten(1).all(1)


def root(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The square root, 0 where rounding left less than 0, with a finite gradient at 0."""
    return torch.where(x > 0, x, 1.0).sqrt() * (x > 0)
