"""How much is worked on at a time."""

from jaxtyping import Shaped
from torch import Tensor

MORE = 64  # times the values that stay in the caches of a processor keep a GPU busy


def at_once(cached: int, u: Shaped[Tensor, "..."]) -> int:
    """How many values to work on at a time where u lies: those that stay in the caches, on other devices many more.

    >>> import torch
    >>> at_once(2**16, torch.zeros(3))
    65536
    """
    return cached if u.device.type == "cpu" else MORE * cached
