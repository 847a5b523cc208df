"""Numbers for all axes at once or per axis, as they are typed."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, ValidationError, WrapValidator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0)]


def _expected(what: str) -> WrapValidator:
    """One sentence for all kinds of values that an option may have."""

    def read(value: Any, plain: Callable[[Any], Any]) -> Any:
        try:
            return plain(value)
        except ValidationError:
            raise ValueError(f"expected {what}, got {value!r}") from None

    return WrapValidator(read)


# The last entry is the word that help prints for what the option takes.
Counts = Annotated[
    Count | Annotated[list[Count], Field(min_length=1)],
    _expected("a number of 1 or more for all axes, or a list with one per axis"),
    "integer(s)",
]
Shares = Annotated[
    Share | Annotated[list[Share], Field(min_length=1)],
    _expected("a share of 0 or more for all axes, or a list with one per axis"),
    "share(s)",
]
Rank = Annotated[
    Annotated[float, Field(gt=0, le=1)] | Annotated[list[Count], Field(min_length=1)],
    _expected("a share above 0 and at most 1, or a list of ranks of 1 or more"),
    "share|ranks",
]
