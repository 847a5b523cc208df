"""Sentences about inputs, counts and names that do not fit."""

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


def check_counts(network: str, *, least: int = 1, **counts: int | None) -> None:
    """Raise ValueError unless every count that is given is `least` or more.

    >>> check_counts("FNO", width=32, depth=-1)
    Traceback (most recent call last):
    ValueError: got depth=-1 for FNO: give 1 or more
    """
    for name, count in counts.items():
        if count is not None and count < least:
            raise ValueError(f"got {name}={count} for {network}: give {least} or more")


def check_field(network: str, x: Float[Tensor, "..."], in_channels: int, domain: Domain) -> None:
    """Raise ValueError unless x is (b, in_channels, *grid) with one axis of points per axis of the domain."""
    axes = "xyz"[: domain.dimension]
    expected = f"(b, {in_channels}, {', '.join(axes)})"
    if x.ndim != domain.dimension + 2:
        raise ValueError(f"{network} on {domain} takes fields of shape {expected}, got {tuple(x.shape)}")
    if x.shape[1] != in_channels:
        raise ValueError(f"{network} takes {in_channels} input channels, got {x.shape[1]}: expected shape {expected}")
