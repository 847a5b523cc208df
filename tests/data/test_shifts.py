"""Shifted test sets are the same problem with one parameter changed, drawn independently, and part of the data set."""

import json

import pytest
import torch

from vcycle.data import DataError, Dataset, generate
from vcycle.data.resume import begin
from vcycle.data.shifts import seed_of, shifted
from vcycle.problems import Burgers, Darcy, HighContrast


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shifted") / "burgers"
    ood = {"viscosity": [0.05, 0.02], "time": 0.5}
    generate(Burgers(), 10, 32, 3, folder, ood=ood, ood_samples=2, workers=1, progress=False)
    return folder


def test_every_value_is_a_split_of_the_changed_problem(folder):
    data = Dataset.open(folder, verify=True)
    assert {n: len(s) for n, s in data.splits.items()} == {
        "train": 8,
        "validation": 1,
        "test": 1,
        "test_viscosity_0.05": 2,
        "test_viscosity_0.02": 2,
        "test_time_0.5": 2,
    }
    for name, problem in (("test_viscosity_0.02", Burgers(viscosity=0.02)), ("test_time_0.5", Burgers(time=0.5))):
        pairs = data.split(name).read(range(2))
        assert bool((problem.residual(pairs.inputs, pairs.outputs) < 10 * problem.tolerance).all())
        assert not bool((Burgers().residual(pairs.inputs, pairs.outputs) < 1e-3).any())


def test_no_function_of_the_training_set_is_in_a_shifted_one(folder):
    data = Dataset.open(folder)
    main = data.read(range(10)).inputs.flatten(1)
    for name in ("test_viscosity_0.05", "test_time_0.5"):
        other = data.split(name).read(range(2)).inputs.flatten(1)
        assert float(torch.cdist(main, other).min()) > 1.0
    assert seed_of(3, "test_time_0.5") != seed_of(3, "test_viscosity_0.05")


def test_the_manifest_names_the_content_of_every_split(folder, tmp_path):
    manifest = Dataset.open(folder).manifest
    assert set(manifest.elsewhere_sha256) == set(manifest.elsewhere)
    checksums = {*manifest.elsewhere_sha256.values(), *(s.sha256 for s in manifest.splits.values())}
    assert len(checksums) == 6 and all(len(c) == 64 for c in checksums)
    again = tmp_path / "again"
    data = generate(Burgers(), 10, 32, 3, again, ood={"time": 0.5}, ood_samples=2, workers=1, progress=False)
    assert data.checksum("test_time_0.5") == manifest.elsewhere_sha256["test_time_0.5"]
    table = json.loads((again / "manifest.json").read_text())
    table["elsewhere_sha256"]["test_time_0.5"] = "0" * 64
    (again / "manifest.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match="is not the test set that belongs here"):
        Dataset.open(again)


def test_a_stopped_run_goes_on_with_its_shifted_sets(tmp_path):
    settings = {"ood": {"time": 0.5}, "workers": 1, "progress": False}
    first = generate(Burgers(), 10, 32, 3, tmp_path / "b", **settings).manifest
    begin(first.configuration, tmp_path / "b")
    (tmp_path / "b" / "manifest.json").unlink()
    (tmp_path / "b" / "test_time_0.5" / "part-00000.h5").unlink()
    (tmp_path / "b" / "part-00000.h5").unlink()
    again = generate(Burgers(), 10, 32, 3, tmp_path / "b", **settings).manifest
    assert again.splits == first.splits and again.elsewhere_sha256 == first.elsewhere_sha256


@pytest.mark.parametrize(
    ("shifts", "sentence"),
    [
        ({"viscosty": 0.1}, "burgers has no parameter 'viscosty' to shift: did you mean 'viscosity'"),
        ({"viscosity.x": 0.1}, "no parameter 'viscosity.x' to shift"),
        ({"viscosity": Burgers().viscosity}, "is what the training data have: shift it to another value"),
        ({"snapshots": 3}, "snapshots=3 changes the domain or the channels"),
        ({"viscosity": [0.05, 0.05]}, "two shifts make the split 'test_viscosity_0.05'"),
        ({"name": "kdv"}, "no parameter 'name' to shift"),
    ],
)
def test_shifts_that_make_no_test_set_are_refused(shifts, sentence):
    with pytest.raises(DataError, match=sentence):
        shifted(Burgers(), shifts)


def test_parameters_of_the_prior_are_shifted_too():
    (name,), (problem,) = zip(*shifted(Darcy(prior=HighContrast(10.0)), {"prior.contrast": 1e4}).items(), strict=True)
    assert (name, problem.prior.contrast) == ("test_contrast_10000", 1e4)


def test_counts_without_shifts_are_refused(tmp_path):
    with pytest.raises(DataError, match="say with ood what to shift"):
        generate(Burgers(), 4, 32, 0, tmp_path / "b", ood_samples=2)
    with pytest.raises(DataError, match="at least 1 sample, got 0: give ood_samples"):
        generate(Burgers(), 4, 32, 0, tmp_path / "b", ood={"time": 0.5}, splits={"train": 1.0})


def test_a_damaged_shifted_set_is_made_anew(tmp_path):
    settings = {"ood": {"time": 0.5}, "workers": 1, "progress": False}
    first = generate(Burgers(), 10, 32, 3, tmp_path / "b", **settings).manifest
    victim = tmp_path / "b" / "test_time_0.5" / "part-00000.h5"
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match="is not the file that was written"):
        Dataset.open(tmp_path / "b")
    again = generate(Burgers(), 10, 32, 3, tmp_path / "b", **settings).manifest
    assert victim.read_bytes() == content and again.elsewhere_sha256 == first.elsewhere_sha256
