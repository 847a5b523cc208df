import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcycle.data import DataError
from vcycle.data.schema import Failure, ShardRecord
from vcycle.data.splits import counts, split_records


@given(st.integers(1, 5000), st.integers(0, 100), st.integers(0, 100))
def test_fractions_give_every_sample_to_one_split(samples, validation, test):
    share = {"train": 1 - (validation + test) / 200, "validation": validation / 200, "test": test / 200}
    sizes = counts(samples, share)
    assert list(sizes) == ["train", "validation", "test"]
    assert sum(sizes.values()) == samples
    assert all(abs(sizes[name] - share[name] * samples) <= 2 for name in sizes)
    if samples >= 3:
        assert all(sizes[name] > 0 for name in sizes if share[name] > 0 and name != "train")


@pytest.mark.parametrize(
    ("splits", "sentence"),
    [
        ({"train": 0.5, "test": 0.4}, "fractions sum to 1 .* got train=0.5, test=0.4 with sum 0.9"),
        ({"train": 50, "test": 40}, "train=50, test=40 have 90 samples together, but there are 100"),
        ({"train": 110, "test": -10}, "split 'test' cannot have -10 samples"),
        ({"trian": 1.0}, "a split is named 'train', 'validation', 'calibration...' or 'test...', got 'trian'"),
        ({}, "the samples need a split"),
    ],
)
def test_splits_that_do_not_add_up_are_refused(splits, sentence):
    with pytest.raises(DataError, match=sentence):
        counts(100, splits)


def shard(first: int, stop: int, failed: tuple[int, ...] = (), sha256: str = "") -> ShardRecord:
    failures = tuple(Failure(index=index, reason="") for index in failed)
    return ShardRecord(
        file=f"{first}", size=1, sha256=sha256 or f"{first:064d}", first=first, stop=stop, failures=failures
    )


def test_splits_are_ranges_of_sample_indices_whatever_failed():
    records = split_records({"train": 7, "validation": 1, "test": 2}, (shard(0, 4, (1, 2)), shard(4, 8), shard(8, 10)))
    assert {name: (record.start, record.stop) for name, record in records.items()} == {
        "train": (0, 5),
        "validation": (5, 6),
        "test": (6, 8),
    }


def test_the_checksum_of_a_split_depends_on_its_own_data_only():
    sizes = {"train": 6, "test": 4}
    one = split_records(sizes, (shard(0, 4), shard(4, 8), shard(8, 10)))
    other = split_records(sizes, (shard(0, 4), shard(4, 8), shard(8, 10, sha256="f" * 64)))
    assert one["train"] == other["train"]
    assert one["test"].sha256 != other["test"].sha256
    moved = split_records({"train": 5, "test": 5}, (shard(0, 4), shard(4, 8), shard(8, 10)))
    assert moved["train"].sha256 != one["train"].sha256


def test_data_may_be_for_testing_alone():
    assert counts(10, {"test": 1.0}) == {"test": 10}
    assert counts(10, {"test": 0.5, "validation": 0.5}) == {"test": 5, "validation": 5}
