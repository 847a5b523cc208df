"""Batches are a pure function of (seed, step), full, and fair to every sample."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vcycle.training import FieldStream


def stream(n: int, batch: int, seed: int = 5) -> FieldStream:
    inputs = torch.arange(float(n)).view(n, 1, 1)
    return FieldStream(inputs, -inputs, batch, seed)


def drawn(s: FieldStream, steps) -> list[int]:
    return [int(v) for step in steps for v in s(step).inputs.flatten()]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 30), st.integers(0, 2**32))
def test_every_epoch_holds_every_sample_once(n, batch, seed):
    row = drawn(stream(n, batch, seed), range(4 * n))
    assert len(row) == 4 * n * batch
    for epoch in range(len(row) // n):
        assert Counter(row[epoch * n : (epoch + 1) * n]) == Counter(range(n))


def test_a_batch_does_not_depend_on_what_was_asked_before():
    forwards, alone = stream(10, 3), stream(10, 3)
    expected = {step: forwards(step).inputs for step in range(50)}
    for step in (49, 7, 31, 0):
        assert torch.equal(alone(step).inputs, expected[step])


def test_epochs_and_seeds_differ():
    s = stream(20, 20)
    assert drawn(s, [0]) != drawn(s, [1])
    assert drawn(s, [0]) != drawn(stream(20, 20, seed=6), [0])


def test_outputs_stay_with_their_inputs():
    batch = stream(9, 4)(3)
    assert torch.equal(batch.targets, -batch.inputs)


def test_mismatched_lengths_are_refused():
    with pytest.raises(ValueError, match="as many outputs as inputs, got 2 and 3"):
        FieldStream(torch.zeros(3, 1, 4), torch.zeros(2, 1, 4), 1, 0)
