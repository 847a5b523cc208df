"""Vectors are made narrow where wide ones are two halves, and nowhere else."""

import os

import pytest

from vcycle.spaces import suit_vectors
from vcycle.spaces.vectors import VARIABLE

ZEN_4 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 avx512f avx512_bf16"
ZEN_3 = ZEN_4.replace(" avx512f avx512_bf16", "")
ZEN_5 = ZEN_4.replace(": 25", ": 26")
INTEL = ZEN_4.replace("AuthenticAMD", "GenuineIntel")


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch):
    """What the function leaves in the environment; nothing of it stays."""
    monkeypatch.setattr(os, "environ", {})
    return lambda: os.environ.get(VARIABLE)


def test_halved_vectors_are_not_used(variable):
    suit_vectors(f"{ZEN_4}\n\n{ZEN_3}\n")
    assert variable() == "AVX2"


@pytest.mark.parametrize("other", [ZEN_3, ZEN_5, INTEL, "", "Processor : ARMv8"])
def test_other_processors_are_left_alone(other, variable):
    suit_vectors(other)
    assert variable() is None


def test_what_the_user_says_counts(variable):
    os.environ[VARIABLE] = "DEFAULT"
    suit_vectors(ZEN_4)
    assert variable() == "DEFAULT"
