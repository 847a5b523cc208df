"""Calibration end to end: samples that were seen are refused, what is written is what predict and evaluate use."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

import vcycle
from vcycle.app.cli import main
from vcycle.data import Dataset, generate
from vcycle.jobs.coverage import measure_coverage
from vcycle.problems import Burgers

TINY = {
    "network": {"name": "fno", "width": 6, "depth": 2, "modes": 8},
    "steps": 12,
    "batch": 4,
    "validation_samples": 6,
    "validate_every": 6,
    "accelerator": "cpu",
    "threads": 1,
    "loss": "l2",
}
SPLITS = {"train": 20, "validation": 6, "calibration": 40, "test": 24}
POINTS = 16


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    generate(Burgers(), 90, POINTS, 3, folder, workers=1, splits=SPLITS, dtype="float32", progress=False)
    return folder


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    folders = [tmp_path_factory.mktemp("runs") / str(seed) for seed in (0, 1)]
    for seed, folder in enumerate(folders):
        vcycle.train(TINY, data=str(data), seed=seed, out=str(folder))
    return folders


@pytest.fixture(scope="module")
def calibrated(runs):
    return runs[0], vcycle.calibrate(runs[0], level=0.8)


def test_a_calibrated_run_predicts_bands_and_says_what_they_claim(calibrated, data, tmp_path, capsys):
    run, result = calibrated
    assert result.calibration.samples == 40
    assert "calibrated on 40 samples" in str(result)
    inputs = Dataset.open(data).split("test").read(range(3)).inputs.numpy()
    np.save(tmp_path / "u.npy", np.concatenate([inputs, 50 * inputs[:1]]))
    assert main(["predict", str(run), "--input", str(tmp_path / "u.npy")]) == 0
    said = capsys.readouterr().out
    assert "no guaranteed bound" in said and "40 held-out samples" in said and "probability 80" in said
    assert "warning: " in said and "3" in said.split("warning: ")[1].split(" lie")[0]
    np.save(tmp_path / "fine.npy", np.zeros((1, 1, 2 * POINTS)))
    assert main(["predict", str(run), "--input", str(tmp_path / "fine.npy")]) == 0
    assert "no calibrated bounds: the calibration is for 16" in capsys.readouterr().out


def test_evaluation_reports_the_measured_coverage(calibrated, data):
    run = calibrated[0]
    vcycle.evaluate(run, resolutions=[POINTS])
    found = json.loads((run / "evaluation.json").read_text("utf-8"))["coverage"]
    assert {row["quantity"] for row in found} == {"l2", "h1", "band"}
    pairs, surrogate = Dataset.open(data).split("test").read(range(24)), vcycle.load(run)
    error = pairs.outputs.double() - surrogate.apply(pairs.inputs)
    band = surrogate.predict(pairs.inputs).calibrated.band
    by_hand = int((error.abs() <= band).flatten(1).all(1).sum())
    row = next(row for row in found if row["quantity"] == "band")
    assert (row["coverage"]["held"], row["coverage"]["samples"], row["level"]) == (by_hand, 24, 0.8)
    low, high = row["coverage"]["interval"]
    assert low <= by_hand / 24 <= high
    assert "Calibrated bounds" in (run / "report.html").read_text("utf-8")
    assert measure_coverage(surrogate, {"calibration": pairs}) == ()  # what calibrated is no test of it


@pytest.mark.parametrize(
    ("split", "reason"), [("train", "taught the network"), ("validation", "chose the weights"), ("test", "measures")]
)
def test_seen_splits_are_refused_by_name_and_say_why(runs, split, reason, capsys):
    assert main(["calibrate", str(runs[1]), "--split", split]) == 2
    assert reason in capsys.readouterr().err


def test_seen_samples_are_refused_under_any_name(runs, tmp_path):
    """The same seed makes the same functions, whatever the split is called and however precisely they are stored."""
    folder = tmp_path / "same"
    generate(Burgers(), 22, POINTS, 3, folder, workers=1, splits={"calibration": 22}, progress=False)
    with pytest.raises(ValueError, match=r"20 of the 22 samples of split calibration .* are in the train data"):
        vcycle.calibrate(runs[1], folder)
    other = tmp_path / "other"
    generate(Burgers(), 12, POINTS, 4, other, workers=1, splits={"calibration": 12}, progress=False)
    assert vcycle.calibrate(runs[1], other).calibration.samples == 12


def test_runs_of_different_seeds_become_an_ensemble(runs, data, tmp_path, capsys):
    out = tmp_path / "ensemble"
    result = vcycle.calibrate(runs, out=out, level=0.9)
    assert (result.calibration.scale, result.folder) == ("spread", out)
    both = vcycle.load(out)
    inputs = Dataset.open(data).split("test").read(range(5)).inputs
    each = [vcycle.load(run).apply(inputs) for run in runs]
    assert np.allclose(both.apply(inputs), (each[0] + each[1]) / 2, rtol=1e-5, atol=1e-6)
    assert both.predict(inputs).calibrated.samples == 40
    evaluation = vcycle.evaluate(out, samples=4, resolutions=[POINTS]).evaluation
    assert "mean of 2" in evaluation.facts["ensemble"]
    assert vcycle.calibrate(out, level=0.5).calibration.level == 0.5
    for arguments, reason in (
        ([str(runs[0]), str(runs[0]), "--out", str(tmp_path / "twice")], "same network"),
        ([str(run) for run in runs], "--out is the folder of an ensemble"),
        ([str(runs[0]), "--out", str(tmp_path / "one")], "--out is the folder of an ensemble"),
        ([*map(str, runs), "--out", str(out)], "not empty"),
    ):
        assert main(["calibrate", *arguments]) == 2
        assert reason in capsys.readouterr().err


def test_draws_from_a_posterior_are_an_ensemble_that_calibrates_as_others_do(runs, data, tmp_path):
    """At once or after a training that is done: the same draws, around the weights that were kept."""
    options = {"data": str(data), "posterior": {"draws": 3, "steps": 4}}
    vcycle.train(TINY, **options, out=str(tmp_path / "run"))
    shutil.copytree(runs[0], tmp_path / "later", ignore=shutil.ignore_patterns("calibration*"))
    vcycle.train(TINY, **options, out=str(tmp_path / "later"))
    inputs = Dataset.open(data).split("test").read(range(5)).inputs
    drawn, later = vcycle.load(tmp_path / "run"), vcycle.load(tmp_path / "later")
    centre, first = (vcycle.load(run, calibrated=False).apply(inputs) for run in (runs[0], tmp_path / "run/member_000"))
    answer = drawn.answer(inputs)
    assert bool((answer.spread > 0).all()) and torch.equal(answer.spread, later.answer(inputs).spread)
    assert (first - answer.value).norm() > 0 and 0 < (answer.value - centre).norm() < 0.5 * centre.norm()
    result = vcycle.calibrate(tmp_path / "run")
    assert (result.calibration.scale, result.folder) == ("spread", tmp_path / "run")
    assert vcycle.load(tmp_path / "run").predict(inputs).calibrated.samples == 40
    again = vcycle.train(TINY, **options, out=str(tmp_path / "run"))
    assert again.ended == "finished" and vcycle.load(tmp_path / "run").calibration is not None
    for other, reason in (({"posterior": None}, "posterior.name sparse"), ({"loss": "ritz"}, "distance")):
        with pytest.raises(ValueError, match=reason):
            vcycle.train(TINY | other, **({"data": str(data)} | options | other), out=str(tmp_path / "run"))


def test_a_run_that_changed_since_asks_for_a_new_calibration(runs, data, tmp_path):
    run = tmp_path / "run"
    vcycle.train(TINY, data=str(data), steps=4, out=str(run))
    vcycle.calibrate(run)
    (run / "weights.safetensors").write_bytes((runs[1] / "weights.safetensors").read_bytes())
    with pytest.raises(ValueError, match="made for other weights"):
        vcycle.load(run)
    vcycle.calibrate(run)
    assert vcycle.load(run).calibration.samples == 40


def test_a_run_on_an_equation_calibrates_on_fresh_samples(tmp_path):
    run = tmp_path / "run"
    vcycle.train(TINY, problem="poisson", resolution=8, steps=4, out=str(run))
    result = vcycle.calibrate(run, samples=20)
    assert (result.calibration.samples, result.calibration.resolution) == (20, (8, 8))
    few = vcycle.calibrate(run, samples=5)
    assert "infinite: 90" in str(few)
    prediction = vcycle.predict(run, np.ones((1, 1, 8, 8)))
    assert "guaranteed bounds" in prediction.report and "they are infinite" in prediction.report


def test_own_data_without_an_equation_have_calibrated_bounds(tmp_path):
    random = np.random.default_rng(0)
    for name, count in (("train", 24), ("calibration", 30)):
        x = random.standard_normal((count, 8, 8)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.tanh(x) + np.roll(x, 1, 1))
    settings = {
        "name": "measured",
        "files": {name: f"{name}.npz" for name in ("train", "calibration")},
        "inputs": ["x"],
        "outputs": ["y"],
        "domain": {"extents": [1.0, 1.0], "boundary": "periodic"},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(settings))
    vcycle.train(TINY, data=str(tmp_path / "own.yaml"), steps=4, out=str(tmp_path / "run"), validation_samples=None)
    assert vcycle.calibrate(tmp_path / "run").calibration.samples == 30
    assert vcycle.load(tmp_path / "run").predict(np.zeros((8, 8))).kind == "calibrated"


def test_steps_of_trajectories_are_refused(tmp_path):
    generate(Burgers(snapshots=3), 12, POINTS, 1, tmp_path / "data", workers=1, progress=False)
    options = {"pairs": "one_step", "steps": 2, "out": str(tmp_path / "run"), "validation_samples": None}
    vcycle.train(TINY, data=str(tmp_path / "data"), **options)
    with pytest.raises(ValueError, match="depend on each other"):
        vcycle.calibrate(tmp_path / "run")


def test_a_missing_split_says_how_to_make_one(tmp_path, runs):
    generate(Burgers(), 10, POINTS, 9, tmp_path, workers=1, progress=False)
    with pytest.raises(ValueError, match=r"has no split 'calibration'.*--splits"):
        vcycle.calibrate(runs[0], tmp_path)
