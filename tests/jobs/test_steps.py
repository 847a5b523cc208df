"""Networks as steps in time: what training unrolls, and what evaluation measures."""

import json

import pytest
import torch
from torch import nn

from vcycle.data import generate
from vcycle.jobs import evaluate, train
from vcycle.jobs.config import TrainConfig
from vcycle.jobs.rollout import Step, Unrolled
from vcycle.jobs.tasks import task
from vcycle.problems import Burgers
from vcycle.training import Batch

TINY = {"network": {"name": "fno", "width": 6, "modes": 6, "depth": 1}, "batch": 4, "accelerator": "cpu", "loss": "l2"}


class Doubling(nn.Module):
    """u -> w u of the last state, with w = 2; counts its calls."""

    def __init__(self):
        super().__init__()
        self.w, self.calls = nn.Parameter(torch.tensor(2.0)), 0

    def forward(self, inputs):
        self.calls += 1
        return self.w * inputs[:, -1:]


def batch():
    return Batch(torch.ones(1, 3, 4), torch.arange(1.0, 5.0).view(1, 4, 1).expand(1, 4, 4))


@pytest.mark.parametrize("pushforward", [True, False])
def test_the_network_is_applied_to_its_own_answers(pushforward):
    network = Doubling()
    forward = Unrolled(Step(fixed=1, fields=1), steps=4, growing=0, pushforward=pushforward)
    prediction, compared = forward(network, batch(), 0)
    assert network.calls == 4
    assert prediction[0, :, 0].tolist() == ([16.0] if pushforward else [2.0, 4.0, 8.0, 16.0])
    assert compared.targets[0, :, 0].tolist() == ([4.0] if pushforward else [1.0, 2.0, 3.0, 4.0])
    (slope,) = torch.autograd.grad(prediction[0, -1, 0], network.parameters())
    assert float(slope) == (8.0 if pushforward else 4 * 8.0)  # d(w x)/dw at x = 8, or d(w^4)/dw


def test_the_curriculum_grows_in_equal_stages():
    forward = Unrolled(Step(0, 1), steps=4, growing=20, pushforward=True)
    assert [forward.applications(n) for n in (0, 4, 5, 10, 15, 19, 20, 99)] == [1, 1, 2, 3, 4, 4, 4, 4]


def test_the_oldest_state_makes_room_and_the_rest_stays():
    inputs = torch.arange(6.0).view(1, 6, 1)  # a coefficient, two states of two fields, the lead
    after = Step(fixed=1, fields=2, lead=True).next_inputs(inputs, torch.tensor([7.0, 8.0]).view(1, 2, 1))
    assert after.flatten().tolist() == [0, 3, 4, 7, 8, 5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "burgers"
    problem = Burgers(snapshots=5, time=0.5, viscosity=0.05)
    generate(problem, 20, 32, 3, folder, workers=1, verify_every=0, progress=False)
    return folder


@pytest.mark.parametrize(
    "pairs",
    [
        {"name": "one_step", "steps": 2, "noise": 0.01},
        {"name": "one_step", "history": 2, "steps": 3, "pushforward": False},
        {"name": "all_pairs", "noise": 0.01},
    ],
)
def test_steps_are_trained_and_evaluated(folder, tmp_path, pairs):
    train(TINY, data=str(folder), out=str(tmp_path / "run"), pairs=pairs, steps=4)
    found = evaluate(tmp_path / "run", lyapunov=1.0)
    rollout = found.evaluation.rollout
    history = pairs.get("history", 1)
    assert rollout.error.shape == (2, 6 - history)
    assert rollout.times == pytest.approx([0.1 * (i + 1) for i in range(6 - history)])
    assert "applied to its own answers: median error" in str(found)
    written = json.loads(found.json.read_text())["rollout"]
    assert len(written["persistence"]) == 6 - history and written["lyapunov_exponent"] == 1.0


def test_a_trained_step_beats_standing_still_along_the_whole_trajectory(folder, tmp_path):
    settings = TINY | {"network": {"name": "fno", "width": 12, "modes": 8, "depth": 2}, "optimizer": {"lr": 1e-2}}
    train(settings, data=str(folder), out=str(tmp_path / "run"), pairs="one_step", steps=150)
    rollout = evaluate(tmp_path / "run").evaluation.rollout
    assert bool((rollout.error.median(0).values < 0.5 * rollout.persistence.median(0).values).all())
    assert float(rollout.correlation.min()) > 0.9


def test_noise_falls_on_the_states_alone_and_is_the_same_in_every_run(folder):
    def stream(**pairs):
        return task(TrainConfig(out="", data={"path": str(folder)}, pairs=pairs, **TINY)).stream

    clean, noisy = stream(name="all_pairs"), stream(name="all_pairs", noise=0.1)
    one, other = clean(3), noisy(3)
    assert torch.equal(one.targets, other.targets) and torch.equal(one.inputs[:, -1], other.inputs[:, -1])
    assert torch.equal(other.inputs, stream(name="all_pairs", noise=0.1)(3).inputs)
    deviation = float((other.inputs - one.inputs)[:, 0].std() / one.inputs[:, 0].std())
    assert 0.05 < deviation < 0.2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": None, "problem": "burgers", "pairs": "one_step"}, "--pairs one_step are cut from trajectories: give"),
        ({"pairs": {"name": "one_step", "steps": 9}}, "have 6 states, 1 given and 9 later ones were asked for"),
        ({"pairs": {"name": "one_step", "steps": 2}, "loss": "energy"}, "needs an energy norm|one application"),
    ],
)
def test_what_cannot_be_unrolled_is_refused(folder, tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        train(TINY | {"data": str(folder), "out": str(tmp_path / "run"), "steps": 2} | changes)


def test_an_exponent_without_steps_is_refused(folder, tmp_path):
    train(TINY, data=str(folder), out=str(tmp_path / "run"), steps=1)
    with pytest.raises(ValueError, match="--lyapunov is for networks that step in time"):
        evaluate(tmp_path / "run", lyapunov=1.0)
