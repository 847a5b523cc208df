"""The verbs on another device: the same files and words as on the processor."""

import numpy as np
import pytest
import torch

import vcycle
from references.some_gpu import some_gpu
from vcycle.jobs.config import GenerateConfig, TrainConfig
from vcycle.jobs.configure import resolve

VERBS = ("_predict", "_solve", "_march", "_evaluate", "_calibrate")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network for Darcy flow, hardly trained."""
    folder = tmp_path_factory.mktemp("run") / "darcy"
    network = {"name": "mgno", "width": 4, "depth": 1, "levels": 2}
    options = {"out": str(folder), "problem": {"name": "darcy"}, "resolution": 16, "steps": 4, "batch": 2}
    vcycle.train(resolve(TrainConfig, {**options, "network": network, "validation_samples": 4, "accelerator": "cpu"}))
    return folder


@pytest.fixture
def accelerated(monkeypatch):
    """Every verb finds the device."""
    with some_gpu() as gpu:
        for verb in VERBS:
            monkeypatch.setattr(f"vcycle.jobs.{verb}.chosen", lambda accelerator: gpu)
        monkeypatch.setattr("vcycle.data.work.chosen", lambda accelerator: gpu)
        yield gpu


@pytest.fixture(scope="module")
def inputs():
    return vcycle.problems.Darcy().sample((16, 16), 5, range(2)).numpy()


def test_predict_and_solve(run, inputs, accelerated):
    predicted = vcycle.predict(run, inputs, tighten=1)
    solution = vcycle.solve(run, inputs, 1e-6)
    assert predicted.prediction.value.device == solution.solution.value.device == torch.device("cpu")
    assert predicted.prediction.kind == "guaranteed"
    assert solution.verified


def test_predictions_are_those_of_the_processor(run, inputs, monkeypatch, tmp_path):
    expected = vcycle.predict(run, inputs, tmp_path / "here.npy", accelerator="cpu")
    with some_gpu() as gpu:
        monkeypatch.setattr("vcycle.jobs._predict.chosen", lambda accelerator: gpu)
        found = vcycle.predict(run, inputs, tmp_path / "there.npy")
    assert np.allclose(np.load(tmp_path / "there.npy"), np.load(tmp_path / "here.npy"), rtol=1e-6)
    torch.testing.assert_close(found.prediction.bound, expected.prediction.bound, rtol=1e-6, atol=0)


def test_evaluate_and_calibrate(run, accelerated, tmp_path):
    evaluated = vcycle.evaluate(run, samples=3, out=tmp_path, progress=False)
    assert evaluated.evaluation.cost is not None
    assert evaluated.evaluation.cost.device == str(accelerated)
    assert all(np.isfinite(test.errors.summaries()["l2"].worst) for test in evaluated.evaluation.tests)
    calibrated = vcycle.calibrate(run, samples=12, level=0.5)
    assert calibrated.calibration.samples == 12


def test_generate(tmp_path, monkeypatch):
    """The inputs are those of the processor, the labels too up to their tolerance."""
    options = {"samples": 6, "resolution": 16, "seed": 3, "progress": False, "verify_every": 2, "executor": "serial"}
    problem = vcycle.problems.Darcy()
    here = vcycle.generate(problem, out=tmp_path / "here", **options)
    with some_gpu() as gpu:
        monkeypatch.setattr("vcycle.data.work.chosen", lambda accelerator: gpu)
        there = vcycle.generate(problem, out=tmp_path / "there", **options)
    one, other = (data.read(range(6)) for data in (here, there))
    assert torch.equal(one.inputs, other.inputs)
    torch.testing.assert_close(other.outputs, one.outputs, rtol=0, atol=1e-9)


def test_a_device_that_is_not_there(run, inputs, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match="accelerator cuda was asked for and there is no CUDA device: use auto or cpu"):
        vcycle.predict(run, inputs, accelerator="cuda")
    config = resolve(GenerateConfig, {"out": str(tmp_path / "data"), "accelerator": "cuda", "samples": 2})
    with pytest.raises(ValueError, match="there is no CUDA device"):
        vcycle.generate(vcycle.problems.Darcy(), 2, 8, 0, tmp_path / "data", accelerator=config.accelerator)
    assert not (tmp_path / "data").exists()
