import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch

from vcycle.data import DataError, Dataset
from vcycle.data import dataset as module
from vcycle.problems import Darcy
from vcycle.spaces import Domain


def test_domain_problem_and_names_are_rebuilt_from_the_manifest(dataset):
    assert dataset.name == "darcy"
    assert dataset.domain == Domain.unit(2)
    assert dataset.placement == "cell"
    assert (dataset.input_names, dataset.output_names) == (("a",), ("u",))
    assert dataset.build_problem() == Darcy()
    assert dataset.resolution == (16, 16)
    assert len(dataset) == 22
    assert repr(dataset) == (
        "darcy: a -> u at 16 x 16 cells of Domain((0, 1) dirichlet x (0, 1) dirichlet); train 18, validation 2, test 2"
    )


def test_splits_are_disjoint_and_cover_everything(dataset):
    names = ("train", "validation", "test")
    parts = [dataset.split(name).read(range(len(dataset.split(name)))) for name in names]
    together = torch.cat([part.outputs for part in parts])
    assert torch.equal(together, dataset.read(range(22)).outputs)
    assert len(torch.unique(together.flatten(1), dim=0)) == 22
    assert tuple(dataset.splits) == names


def test_reading_keeps_the_order_asked_for(dataset):
    everything, some = dataset.read(range(22)), [21, 3, 3, 0, 17]
    assert torch.equal(dataset.read(some).inputs, everything.inputs[some])
    assert torch.equal(dataset.split("train").to_memory().read(some[1:]).outputs, everything.outputs[some[1:]])
    assert everything.inputs.dtype == torch.float64
    with pytest.raises(DataError, match=r"data set 'darcy' has samples 0 to 21, sample 22 was asked for"):
        dataset.read([22])


def _sum(dataset: Dataset) -> float:
    return float(dataset.read([1, 20]).outputs.sum())


def test_an_opened_data_set_goes_to_other_processes(dataset):
    expected = _sum(dataset)
    assert len(pickle.dumps(dataset)) < 20_000
    assert _sum(pickle.loads(pickle.dumps(dataset))) == expected
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        assert pool.submit(_sum, dataset).result() == expected


def test_unknown_splits_and_folders_are_refused(dataset, tmp_path):
    with pytest.raises(DataError, match=r"no split 'tets': did you mean 'test'. There are train, validation, test"):
        dataset.split("tets")
    with pytest.raises(DataError, match=r"is not a data set \(it has no manifest.json\)"):
        Dataset.open(tmp_path)


def test_missing_or_changed_shards_are_refused_at_once(generated, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(generated, folder)
    victim = folder / "part-00003.h5"
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    Dataset.open(folder, verify=False)
    for verify in (None, True):  # so small a set is verified unasked
        with pytest.raises(DataError, match=r"part-00003.h5 is not the file that was written"):
            Dataset.open(folder, verify=verify)
    with monkeypatch.context() as patch:
        patch.setattr(module, "VERIFIED", 1000)
        Dataset.open(folder)
    with pytest.raises(DataError, match=r"part-00003.h5 is not the file that was written"):
        Dataset.open(folder, training=True)
    victim.write_bytes(content)
    test = folder / "part-00005.h5"  # the samples 20 and 21
    test.write_bytes(bytes(test.stat().st_size))
    assert list(Dataset.open(folder, training=True).splits) == ["train", "validation"]
    shutil.copy(generated / test.name, test)
    victim.write_bytes(content[:-7])
    with pytest.raises(DataError, match=rf"part-00003.h5 .* \({len(content) - 7} bytes, recorded were {len(content)} "):
        Dataset.open(folder)
    victim.unlink()
    with pytest.raises(DataError, match=r"part-00003.h5 is missing: .* or copy the file back"):
        Dataset.open(folder)


def test_a_manifest_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": "something else"}')
    with pytest.raises(DataError, match=r"manifest.json is not valid at format: Input should be 'vcycle data 1'"):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("left", [0, 1, 300])
def test_a_truncated_manifest_is_damaged(generated, tmp_path, left):
    (tmp_path / "manifest.json").write_bytes((generated / "manifest.json").read_bytes()[:left])
    with pytest.raises(DataError, match=r"manifest.json is damaged .* copy it back, or remove the data folder"):
        Dataset.open(tmp_path)
