import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vcycle.data import DataError, Fields, Split
from vcycle.data.readers import Joined, Memory


def fields(count: int, start: int = 0) -> Fields:
    values = torch.arange(start, start + count, dtype=torch.float64).view(-1, 1, 1).expand(count, 2, 3)
    return Fields(values, values[:, :1] + 0.5)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.data())
def test_joined_parts_read_like_one_tensor(sizes, data):
    sizes.append(1)
    starts = np.cumsum([0, *sizes])
    joined = Joined([Memory(fields(size, int(start))) for size, start in zip(sizes, starts, strict=False)])
    positions = np.array(data.draw(st.lists(st.integers(0, sum(sizes) - 1), max_size=8)), dtype=np.int64)
    found = joined.read(positions)
    assert len(joined) == sum(sizes)
    assert found.inputs.shape == (len(positions), 2, 3)
    assert found.inputs[:, 1, 2].tolist() == positions.tolist()
    assert found.outputs[:, 0, 0].tolist() == (positions + 0.5).tolist()


def test_a_split_counts_from_its_own_start():
    split = Split("test", Memory(fields(10)), 4, 9)
    assert len(split) == 5
    assert split.resolution == (3,)
    assert split.read([4, 0, 0]).inputs[:, 0, 0].tolist() == [8, 4, 4]
    assert split.read(torch.tensor([1])).inputs[:, 0, 0].tolist() == [5]
    assert len(split.read([])) == 0
    assert repr(split) == "Split('test': 5 samples at 3)"


def test_a_split_in_memory_is_the_same_split():
    split = Split("test", Joined([Memory(fields(3)), Memory(fields(7, 3))]), 2, 9)
    held = split.to_memory()
    assert (held.name, len(held)) == ("test", 7)
    assert torch.equal(held.read([5, 1]).inputs, split.read([5, 1]).inputs)


@pytest.mark.parametrize(("positions", "wrong"), [([0, 5], 5), ([-1], -1)])
def test_samples_outside_a_split_are_refused(positions, wrong):
    split = Split("test", Memory(fields(10)), 4, 9)
    with pytest.raises(DataError, match=f"split 'test' has samples 0 to 4, sample {wrong} was asked for"):
        split.read(positions)
