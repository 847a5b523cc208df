"""Numbers as a reader wants them."""

import math

import pytest

from vcycle.analysis.wording import by, count, milliseconds, percent, significant, times


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0996, 2, "0.10"), (0.0994, 2, "0.099"), (9.96, 2, "10"), (123.4, 2, "123"), (1.05, 3, "1.05"),
        (-0.0123, 2, "-0.012"), (0.0, 2, "0"), (1e-7, 2, "1.0e-07"), (math.inf, 2, "∞"), (math.nan, 2, "∞"),
    ],
)  # fmt: skip
def test_significant_digits(value, digits, text):
    assert significant(value, digits) == text


def test_units_stand_apart_by_a_thin_space():
    assert percent(0.0213) == "2.1\u2009%"
    assert milliseconds(3.14159) == "3.14\u2009ms"
    assert count(1234567) == "1\u2009234\u2009567"
    assert by((16, 8, 4)) == "16 × 8 × 4"


def test_what_does_not_exist_is_a_dash():
    assert percent(None) == times(None) == milliseconds(None) == "–"
