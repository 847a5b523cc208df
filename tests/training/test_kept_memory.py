"""Freed memory is used again without a page fault, and goes back to the system afterwards."""

import platform
import resource

import pytest
import torch

from vcycle.training.kept_memory import kept_memory

ENTRIES = 2**24  # 64 MiB: more than glibc ever keeps by itself


def faults() -> int:
    """The fewest page faults of several times that a block is filled and freed."""
    counts = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(ENTRIES)
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return min(counts)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_block_is_not_taken_from_the_system_again_and_again():
    pages = 4 * ENTRIES // resource.getpagesize()
    with kept_memory():
        assert faults() < pages / 100
    assert faults() > pages / 2
