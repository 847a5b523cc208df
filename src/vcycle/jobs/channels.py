"""Which channel of test data is which channel of a network: the same names in any order, of one equation."""

from vcycle.data import DataError, Dataset
from vcycle.surrogate import Surrogate

Names = tuple[str, ...]


def matched(surrogate: Surrogate, data: Dataset) -> tuple[list[int], list[int]]:
    """Where the inputs and the outputs of the network stand among those of the data.

    The equations are of one kind where both are known; their parameters may differ, as on shifted test sets. Names
    decide. Where no equation is known they may be those of arrays: a single channel of another name, or all channels
    of one array (x_0, x_1, ...), are taken as they stand. Raises DataError for data of something else.
    """
    known, learned = data.build_problem(), surrogate.problem
    if known is not None and learned is not None and known.name != learned.name:
        raise DataError(
            f"the data are of {known.title} ({known.name}), the network has learned {learned.title} "
            f"({learned.name}): give data of that equation"
        )
    free = known is None or learned is None
    sides = (data.input_names, surrogate.input_names), (data.output_names, surrogate.output_names)
    crossed = set(data.input_names) & set(surrogate.output_names) or set(data.output_names) & set(surrogate.input_names)
    order = [_order(names, wanted, free and not crossed) for names, wanted in sides]
    inputs, outputs = order
    if inputs is None or outputs is None:
        raise DataError(
            f"the data map {', '.join(data.input_names)} to {', '.join(data.output_names)}, the network "
            f"{', '.join(surrogate.input_names)} to {', '.join(surrogate.output_names)}: the channels must agree, so "
            "give data of the same functions, under the same names"
        )
    return inputs, outputs


def _order(names: Names, wanted: Names, free: bool) -> list[int] | None:
    """The position of every wanted name; None if they are not the same. Names that say nothing are `free`."""
    if sorted(names) == sorted(wanted):
        return [names.index(name) for name in wanted]
    counted = len(names) == len(wanted) and (_numbered(names) or _numbered(wanted))
    return list(range(len(names))) if free and counted else None


def _numbered(names: Names) -> bool:
    """Whether the names are those of one array: its own, or x_0, x_1, ... for its channels.

    >>> _numbered(("x",)), _numbered(("x_0", "x_1")), _numbered(("rho", "p"))
    (True, True, False)
    """
    stem = names[0].removesuffix("_0")
    return len(names) == 1 or names == tuple(f"{stem}_{channel}" for channel in range(len(names)))
