"""Training reads the splits 'train' and 'validation' and nothing else."""

import shutil

import h5py
import numpy as np
import pytest

from vcycle.data import DataError, Dataset, generate
from vcycle.jobs import evaluate, train
from vcycle.jobs.config import DataConfig, TrainConfig
from vcycle.jobs.datasets import open_data
from vcycle.problems import Darcy, LogNormal

TINY = {"network": {"name": "fno", "width": 4, "modes": 4, "depth": 1}, "steps": 2, "batch": 2, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tests in shards of their own."""
    folder = tmp_path_factory.mktemp("data") / "darcy"
    sizes = {"train": 8, "validation": 4, "test": 4}
    ood = {"prior.sigma": 2.0}
    generate(
        Darcy(prior=LogNormal()), 16, 16, 3, folder, shard_size=4, splits=sizes, ood=ood, workers=1, progress=False
    )
    return folder


def test_a_run_trains_though_no_test_sample_can_be_read(folder, tmp_path):
    spoiled = tmp_path / "spoiled"
    shutil.copytree(folder, spoiled)
    for shard in (spoiled / "part-00003.h5", spoiled / "test_sigma_2" / "part-00000.h5"):
        shard.write_bytes(b"x" * shard.stat().st_size)
    result = train(TINY, data=str(spoiled), out=str(tmp_path / "run"))
    assert result.step == 2
    with pytest.raises(DataError, match="is not the file that was written"):
        evaluate(tmp_path / "run", spoiled)


def test_asking_for_a_test_set_is_an_error(folder):
    data = open_data(DataConfig(path=str(folder)), training=True)
    assert list(data.splits) == ["train", "validation"] and len(data) == 12
    for name in ("test", "test_sigma_2"):
        with pytest.raises(DataError, match=f"training sees train and validation only, the split '{name}' is closed"):
            data.split(name)
    with pytest.raises(DataError, match="has samples 0 to 11, sample 12 was asked for"):
        data.read([12])


def test_a_file_of_tests_is_never_opened(tmp_path):
    values = np.random.default_rng(0).random((8, 16, 16))
    np.savez(tmp_path / "train.npz", a=values, u=values)
    (tmp_path / "test.npz").write_bytes(b"no data")
    (tmp_path / "own.yaml").write_text(
        "files: {train: train.npz, test: test.npz}\ninputs: [a]\noutputs: [u]\n"
        "domain: {extents: [1, 1], boundary: periodic}\n"
    )
    fields = {"input_field": ["a"], "output_field": ["u"], "boundary": "periodic"}
    raw = DataConfig(path=str(tmp_path / "train.npz"), test_data=str(tmp_path / "test.npz"), **fields)
    for config in (DataConfig(path=str(tmp_path / "own.yaml")), raw):
        assert set(open_data(config, training=True).splits) == {"train", "validation"}
        with pytest.raises(DataError, match=r"test\.npz"):
            open_data(config)
    config = TrainConfig(out=str(tmp_path / "run"), data=raw, **TINY)
    assert train(config).step == 2


def test_shifted_sets_are_evaluated_beside_the_test_set(folder, tmp_path):
    train(TINY, data=str(folder), out=str(tmp_path / "run"))
    found = evaluate(tmp_path / "run", resolutions=[16])
    assert [test.name for test in found.evaluation.tests] == ["test", "test_sigma_2"]
    alone = evaluate(tmp_path / "run", split="test_sigma_2", resolutions=[16])
    assert [test.name for test in alone.evaluation.tests] == ["test_sigma_2"]
    checksum = Dataset.open(folder).checksum("test_sigma_2")
    assert checksum is not None and checksum[:12] in alone.report.read_text() + alone.json.read_text()


def test_shards_hold_their_rows_in_one_file_each(folder):
    with h5py.File(folder / "part-00003.h5") as file:
        assert file["scalars/sample_index"][()].tolist() == [12, 13, 14, 15]
