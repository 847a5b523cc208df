"""Training that begins with a trained network, and through harder and harder distributions."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from vcycle import problems
from vcycle.data.shifts import shifted
from vcycle.jobs import train
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.configure import read_file, resolve
from vcycle.jobs.problem_config import DarcyConfig
from vcycle.jobs.tasks import task
from vcycle.problems import LogNormal, TwoPhase
from vcycle.spaces import Domain

TINY = {
    "problem": "darcy",
    "resolution": 16,
    "loss": "bound",
    "network": {"name": "mgno", "width": 6, "depth": 2, "levels": 3},
    "validation_samples": 6,
    "batch": 4,
    "steps": 16,
    "validate_every": 8,
    "optimizer": {"lr": 5e-3},
    "accelerator": "cpu",
    "threads": 1,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "first"
    train(TINY, out=str(out))
    return out


def without_network(**changes):
    return {name: value for name, value in TINY.items() if name != "network"} | changes


def test_the_network_and_its_weights_are_those_of_the_run_to_begin_with(trained, tmp_path):
    out = tmp_path / "second"
    train(without_network(steps=1, schedule="constant", optimizer={"lr": 1e-30}), start=str(trained), out=str(out))
    before, after = (load_file(folder / "weights.safetensors") for folder in (trained, out))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert read_file(out / "config.yaml")["network"] == read_file(trained / "config.yaml")["network"]


def test_a_validated_configuration_begins_the_same_way(trained, tmp_path):
    config = resolve(TrainConfig, without_network(steps=1, start=str(trained), out=str(tmp_path / "r")))
    train(config)
    assert read_file(tmp_path / "r" / "config.yaml")["network"]["width"] == 6


def test_the_users_own_coefficients_are_learned_without_a_label(trained, tmp_path):
    np.save(tmp_path / "a.npy", LogNormal(sigma=2.0).sample(Domain.unit(2), (16, 16), 5, range(32)).numpy())
    own = {"name": "darcy", "prior": {"name": "empirical", "file": str(tmp_path / "a.npy")}}
    common = without_network(problem=own, start=str(trained))
    still = train(common, steps=1, optimizer={"lr": 1e-30}, out=str(tmp_path / "still"))
    tuned = train(common, steps=48, out=str(tmp_path / "tuned"))
    assert tuned.best["loss"] < 0.8 * still.best["loss"]
    assert tuned.best["l2"] < 0.8 * still.best["l2"]


def test_another_network_is_refused(trained, tmp_path):
    with pytest.raises(ValueError, match=r"the weights in .*first do not fit"):
        train(TINY, network={"width": 8}, start=str(trained), out=str(tmp_path / "r"))


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read .*config.yaml"):
        train(without_network(start=str(tmp_path), out=str(tmp_path / "r")))


def test_a_curriculum_goes_through_its_values_in_equal_parts():
    given = TINY | {"out": "R", "problem": {"prior": {"high": 30.0}}, "curriculum": {"prior.high": [6.0, 12.0]}}
    stream = task(resolve(TrainConfig, given | {"steps": 12})).stream
    largest = [float(stream(step).inputs.max()) for step in range(12)]
    assert largest == [6.0] * 4 + [12.0] * 4 + [30.0] * 4
    a = stream(11).inputs
    assert torch.equal(a, TwoPhase(high=30.0).sample(Domain.unit(2), (16, 16), stream.seed, range(44, 48)))


def test_a_curriculum_is_for_one_parameter_of_an_equation():
    with pytest.raises(ValueError, match="--curriculum takes one parameter"):
        resolve(TrainConfig, TINY | {"out": "R", "curriculum": {"prior.high": [6.0], "prior.low": [1.0]}})


def test_the_example_of_the_help_suits_the_default_problem():
    told = TrainConfig.model_fields["curriculum"].description
    example = yaml.safe_load(told[told.index("{") :])
    assert len(shifted(problems.build(DarcyConfig().plain()), example)) == 2
