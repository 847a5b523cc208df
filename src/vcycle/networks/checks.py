"""Sentences about inputs and names that do not fit."""

from difflib import get_close_matches

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain


def did_you_mean(name: str, known: list[str]) -> str:
    """The end of a sentence about an unknown name.

    >>> did_you_mean("gellu", ["gelu", "relu"])
    ": did you mean 'gelu'?"
    """
    close = get_close_matches(name, known, n=1)
    return f": did you mean {close[0]!r}?" if close else f": expected one of {', '.join(known)}"


def check_field(network: str, x: Float[Tensor, "..."], in_channels: int, domain: Domain) -> None:
    """Raise ValueError unless x is (b, in_channels, *grid) with one axis of points per axis of the domain."""
    axes = "xyz"[: domain.dimension]
    expected = f"(b, {in_channels}, {', '.join(axes)})"
    if x.ndim != domain.dimension + 2:
        raise ValueError(f"{network} on {domain} takes fields of shape {expected}, got {tuple(x.shape)}")
    if x.shape[1] != in_channels:
        raise ValueError(f"{network} takes {in_channels} input channels, got {x.shape[1]}: expected shape {expected}")
