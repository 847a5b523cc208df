import numpy as np
import pytest
import torch

from vcycle.data import DataError, Dataset, read_own, store
from vcycle.data.files import checksum
from vcycle.spaces import Domain

RNG = np.random.default_rng(11)
DOMAIN = Domain([1.0, 2.0], [("dirichlet", "neumann"), "periodic"])


@pytest.fixture
def own(tmp_path):
    files = {}
    for split, (count, grid) in {"train": (10, (4, 6)), "test": (5, (4, 6)), "test_fine": (3, (8, 12))}.items():
        files[split] = tmp_path / f"{split}.npz"
        np.savez(
            files[split],
            a=RNG.random((count, 2, *grid), dtype=np.float32),
            u=RNG.random((count, *grid), dtype=np.float32),
        )
    return read_own(files, ["a"], ["u"], DOMAIN, name="rock", units={"u": "Pa"})


def test_stored_data_are_the_same_data(own, tmp_path):
    stored = store(own, tmp_path / "stored", shard_size=4)
    assert list(stored.splits) == list(own.splits) == ["train", "validation", "test", "test_fine"]
    for name, split in own.splits.items():
        expected, found = split.read(range(len(split))), stored.split(name).read(range(len(split)))
        assert stored.split(name).resolution == split.resolution
        assert torch.equal(found.inputs, expected.inputs) and torch.equal(found.outputs, expected.outputs)
        assert found.inputs.dtype == torch.float32
    assert stored.description == own.description
    assert stored.input_names == ("a_0", "a_1")
    assert len(stored) == len(own) == 15
    assert [len(shard) for shard in stored.manifest.shards] == [4, 4, 4, 3]
    assert stored.manifest.elsewhere == {"test_fine": "test_fine"}
    assert stored.manifest.configuration is None and stored.manifest.verification is None
    assert repr(stored) == repr(own)
    assert not (tmp_path / "stored" / "unfinished").exists()


def test_storing_twice_writes_the_same_bytes(own, tmp_path):
    for name in ("one", "two"):
        store(own, tmp_path / name)
    assert checksum(tmp_path / "one" / "part-00000.h5") == checksum(tmp_path / "two" / "part-00000.h5")


def test_a_folder_with_data_is_left_alone(own, tmp_path):
    store(own, tmp_path / "stored")
    with pytest.raises(DataError, match=r"stored holds data already: choose another folder"):
        store(own, tmp_path / "stored")
    assert len(Dataset.open(tmp_path / "stored", verify=True)) == 15


def test_a_missing_shard_of_another_resolution_is_noticed_too(own, tmp_path):
    store(own, tmp_path / "stored")
    (tmp_path / "stored" / "test_fine" / "part-00000.h5").unlink()
    with pytest.raises(DataError, match=r"test_fine.part-00000.h5 is missing"):
        Dataset.open(tmp_path / "stored")
