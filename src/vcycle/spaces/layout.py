"""How the values of a field lie in memory: channels last, where those of a point lie side by side, or first."""

import torch
from jaxtyping import Shaped
from torch import Tensor


def channels_last(u: Shaped[Tensor, "b c *grid"]) -> Shaped[Tensor, "b c *grid"]:
    """The same field, channels last in memory.

    >>> import torch
    >>> channels_last(torch.zeros(1, 3, 4, 5)).stride()
    (60, 1, 15, 3)
    """
    return u.movedim(1, -1).contiguous().movedim(-1, 1)


def lies_channels_last(u: Shaped[Tensor, "b c *grid"]) -> bool:
    """Whether the channels of a point lie side by side."""
    return u.stride(1) == 1


def suits_products(u: Shaped[Tensor, "b c *grid"]) -> Shaped[Tensor, "b c *grid"]:
    """The field in the layout in which a Fourier network is fastest, as a rule channels last.

    In one dimension nothing is won, and in double precision time is lost: there it is u itself.
    """
    return channels_last(u) if u.ndim > 3 and u.dtype != torch.float64 else u
