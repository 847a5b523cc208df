"""The main job at toy size: from the equation or from data to answers whose error is known."""

import numpy as np
import pytest
import torch

import vcycle
from vcycle.app.cli import main
from vcycle.data import Dataset
from vcycle.problems import Darcy
from vcycle.spaces import L2

TOY = {
    "network": {"name": "mgno", "width": 10, "depth": 3, "levels": 3},
    "optimizer": {"lr": 4e-3},
    "batch": 8,
    "validation_samples": 8,
    "accelerator": "cpu",
    "threads": 1,
    "steps": 400,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    vcycle.generate(
        Darcy(), 224, 16, 5, folder, workers=1, splits={"train": 192, "validation": 8, "test": 24}, progress=False
    )
    return folder


@pytest.fixture(scope="module", params=["equation", "data"])
def run(request, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp(request.param) / "run"
    source = (
        {"problem": "darcy", "resolution": 16, "loss": "bound"}
        if request.param == "equation"
        else {"data": str(data), "loss": "energy"}
    )
    vcycle.train(TOY | source, out=str(folder))
    return folder


def test_both_routes_reach_the_same_error_on_samples_neither_has_seen(run, data):
    test = Dataset.open(data).split("test").read(range(24))
    surrogate = vcycle.load(run)
    prediction = surrogate.predict(test.inputs)
    l2 = L2(surrogate.domain).relative(prediction.value, test.outputs)
    assert float(l2.mean()) < 0.05
    energy = surrogate.problem.energy_norm(test.inputs)
    effectivity = prediction.bound / energy(prediction.value - test.outputs)
    assert float(effectivity.min()) >= 1
    assert float(effectivity.median()) <= 1.2


def test_solve_is_verified_and_the_network_saves_work_or_costs_none(run, data, capsys, tmp_path):
    inputs = Dataset.open(data).split("test").read(range(4)).inputs.numpy()
    np.save(tmp_path / "a.npy", inputs)
    assert main(["solve", str(run), "--input", str(tmp_path / "a.npy"), "--out", str(tmp_path / "u.npy")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("verified: ")
    assert "without the network" in said
    u = torch.from_numpy(np.load(tmp_path / "u.npy"))
    assert float(Darcy().verify(torch.from_numpy(inputs), u).max()) < 1e-7
    solved = vcycle.solve(run, inputs, 1e-8)
    assert solved.verified
    assert solved.solution.iterations <= solved.without.iterations


def test_predict_tells_the_bound_of_every_sample(run, data, capsys, tmp_path):
    np.save(tmp_path / "a.npy", Dataset.open(data).split("test").read(range(3)).inputs.numpy()[:, 0])
    assert main(["predict", str(run), "--input", str(tmp_path / "a.npy"), "--tighten", "1"]) == 0
    said = capsys.readouterr().out
    assert "3 predictions at 16 x 16; guaranteed bounds" in said
    assert "discrete solution" in said
    assert main(["predict", str(run), "--input", str(tmp_path / "a.npy"), "--form", "continuum"]) == 0
    assert "solution of the PDE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file"),
        (b"not an array", "cannot be read as a .npy array"),
        (np.array([{"a": 1}], dtype=object), "cannot be read as a .npy array"),
        (np.array(["x"]), "does not hold one array of real numbers"),
        (np.full((16, 16), np.nan), "256 NaN"),
        (np.ones((3, 2, 16, 16)), "inputs must have shape"),
    ],
)
def test_bad_inputs_get_one_sentence_and_no_traceback(run, content, sentence, capsys, tmp_path):
    file = tmp_path / "a.npy"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        np.save(file, content, allow_pickle=True)
    for verb in ("predict", "solve"):
        assert main([verb, str(run), "--input", str(file)]) == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1


def test_a_folder_without_a_run_is_named(tmp_path, capsys):
    assert main(["predict", str(tmp_path), "--input", "a.npy"]) == 2
    assert "holds no trained network" in capsys.readouterr().err
