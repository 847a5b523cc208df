"""Slopes that make no new extrema: the limiters of second-order finite volumes."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Differences = Float[Tensor, "..."]
Limiter = Callable[[Differences, Differences], Differences]


def minmod(a: Differences, b: Differences) -> Differences:
    """The smaller of two differences, 0 where their signs differ: the most cautious slope.

    >>> minmod(torch.tensor([1.0, -1.0, 3.0]), torch.tensor([2.0, 1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    return torch.where(a * b > 0, torch.where(a.abs() < b.abs(), a, b), torch.zeros_like(a))


def van_leer(a: Differences, b: Differences) -> Differences:
    """The harmonic mean of two differences, 0 where their signs differ: smooth in both.

    >>> van_leer(torch.tensor([1.0, -1.0, 3.0]), torch.tensor([1.0, 1.0, 1.0]))
    tensor([1.0000, 0.0000, 1.5000])
    """
    product = a * b
    rising = product > 0
    return torch.where(rising, 2 * product / torch.where(rising, a + b, 1.0), torch.zeros_like(product))


LIMITERS: dict[str, Limiter] = {"van_leer": van_leer, "minmod": minmod}
