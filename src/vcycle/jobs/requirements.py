"""Numbers that a verb cannot do with, refused before it starts."""

import math


def require_count(option: str, value: int | None, least: int = 1) -> None:
    """Raises ValueError unless the count is at least `least`, or None where it was not given.

    >>> require_count("samples", 0)
    Traceback (most recent call last):
    ValueError: --samples must be a number of 1 or more, got 0
    """
    if value is not None and value < least:
        raise ValueError(f"--{option} must be a number of {least} or more, got {value}")


def require_positive(option: str, value: float | None) -> None:
    """Raises ValueError unless 0 < value < inf, or None where it was not given.

    >>> require_positive("tolerance", 0.0)
    Traceback (most recent call last):
    ValueError: --tolerance must be a number above 0, got 0
    """
    if value is not None and not 0 < value < math.inf:
        raise ValueError(f"--{option} must be a number above 0, got {value:g}")
