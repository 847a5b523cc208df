"""Labels where the bound is worst: chosen without a solve, the rest of the data as ever."""

import pytest
import torch

from vcycle.app.cli import main
from vcycle.data import DataError, generate
from vcycle.jobs import generate as generate_guided
from vcycle.jobs import train
from vcycle.jobs.guidance import guided
from vcycle.problems import Burgers, Darcy, TwoPhase
from vcycle.spaces import Domain
from vcycle.surrogate import load

PROBLEM = Darcy(prior=TwoPhase(1.0, 30.0))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("guide") / "run"
    network = {"name": "mgno", "width": 6, "depth": 2, "levels": 3}
    equation = {"problem": PROBLEM.to_dict() | {"dimension": 2}, "resolution": 16, "loss": "bound", "steps": 8}
    train({**equation, "network": network, "validation_samples": 4, "threads": 1, "accelerator": "cpu"}, out=str(out))
    return out


def relative(run, indices):
    return load(run).predict(PROBLEM.sample((16, 16), 5, indices)).relative


def test_no_sample_that_is_left_out_has_a_larger_bound(run):
    chosen = guided(run, PROBLEM, (16, 16), 5, 20, 100, 0.5)
    assert chosen[10:] == list(range(10))
    left_out = sorted(set(range(10, 100)) - set(chosen))
    assert len(set(chosen)) == 20 and len(left_out) == 80
    assert relative(run, chosen[:10]).min() >= relative(run, left_out).max()


def test_guided_data_hold_the_chosen_samples_and_go_on_where_they_were(run, tmp_path):
    options = {"problem": PROBLEM, "samples": 20, "resolution": 16, "seed": 5, "out": tmp_path / "d", "shard_size": 8}
    guide = {"path": str(run), "pool": 100}
    data = generate_guided(**options, guide=guide, splits={"train": 12, "test": 8}, workers=1, progress=False)
    chosen = guided(run, PROBLEM, (16, 16), 5, 20, 100, 0.5)
    train_split, test = data.split("train"), data.split("test")
    assert torch.equal(train_split.read(range(12)).inputs, PROBLEM.sample((16, 16), 5, chosen[:12]))
    assert torch.equal(test.read(range(8)).inputs, PROBLEM.sample((16, 16), 5, chosen[12:]))
    again = generate_guided(**options, guide=guide, splits={"train": 12, "test": 8}, workers=1, progress=False)
    assert again.split("train").read([0]).outputs.equal(train_split.read([0]).outputs)
    with pytest.raises(DataError, match="indices"):
        generate(**options, splits={"train": 12, "test": 8}, workers=1, progress=False)


def test_splits_count_samples_and_not_their_indices(run, tmp_path):
    guide = {"path": str(run), "pool": 100}
    data = generate_guided(PROBLEM, 20, 16, 5, tmp_path / "d", guide=guide, workers=1, progress=False)
    assert {name: len(data.split(name)) for name in data.manifest.splits} == {"train": 16, "validation": 2, "test": 2}
    ordinary = PROBLEM.sample((16, 16), 5, [8, 9])
    assert torch.equal(data.split("test").read(range(2)).inputs, ordinary)


def test_on_the_command_line(run, tmp_path):
    prior = ["--prior.low", "1", "--prior.high", "30"]
    size = ["--samples", "8", "--resolution", "16", "--out", str(tmp_path / "d")]
    assert main(["generate", "darcy", *prior, *size, "--guide", str(run), "--guide.pool", "24"]) == 0


@pytest.mark.parametrize(
    ("problem", "pool", "said"),
    [
        (PROBLEM, 4, "8 samples cannot be chosen from 4: give a larger --guide.pool"),
        (Darcy(Domain.unit(2), source="gaussian"), 40, "was trained for a on .* not for darcy"),
        (Burgers(), 40, "was trained for a on .* not for burgers"),
    ],
)
def test_requests_that_make_no_sense_are_refused(run, problem, pool, said):
    with pytest.raises(ValueError, match=said):
        guided(run, problem, (16,) * problem.domain.dimension, 5, 8, pool, 0.5)


def test_indices_are_different_and_one_for_each_sample(tmp_path):
    with pytest.raises(DataError, match="3 different indices are needed, got 2"):
        generate(PROBLEM, 3, 16, 0, tmp_path / "d", indices=[4, 4, 7], progress=False)
