"""Numbers and norms as a reader wants to see them."""

import math

NORMS = {
    "l2": "L² norm",
    "h1": "H¹ norm",
    "energy": "energy norm",
    "boundary": "L², near the boundary",
    "interior": "L², interior",
}
NARROW = "\u2009"


def significant(value: float, digits: int = 2) -> str:
    """A number with so many significant digits, without exponent between 1e-4 and 1e6.

    >>> [significant(x) for x in (0.01234, 1.0, 12.34, 1234.0, 3.2e-9)]
    ['0.012', '1.0', '12', '1234', '3.2e-09']
    """
    if not math.isfinite(value):
        return "∞"
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    # Rounding may carry into the next decade (0.0996 -> 0.10), so the exponent is taken after it.
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def percent(fraction: float | None) -> str:
    """A fraction in percent, with two significant digits; a dash where there is none.

    >>> [percent(x).replace(NARROW, "_") for x in (0.0213, 0.5, 1.304, None)]
    ['2.1_%', '50_%', '130_%', '–']
    """
    return "–" if fraction is None else f"{significant(100 * fraction)}{NARROW}%"


def times(ratio: float | None) -> str:
    """A ratio with three significant digits."""
    return "–" if ratio is None else significant(ratio, 3)


def milliseconds(value: float | None) -> str:
    """Milliseconds with three significant digits and the unit."""
    return "–" if value is None else f"{significant(value, 3)}{NARROW}ms"


def count(number: int) -> str:
    """An integer with thin spaces between thousands.

    >>> count(573113).replace(NARROW, "_")
    '573_113'
    """
    return f"{number:,}".replace(",", NARROW)


def by(shape: tuple[int, ...]) -> str:
    """A grid's shape.

    >>> by((64, 64))
    '64 × 64'
    """
    return " × ".join(map(str, shape))
