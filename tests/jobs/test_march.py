"""`vcycle solve --steps`: a trained step, marched, with what the solver alone makes of it beside it."""

import numpy as np
import pytest

from vcycle.data import generate
from vcycle.jobs import march, solve, train
from vcycle.problems import Burgers

TINY = {"network": {"name": "fno", "width": 6, "modes": 6, "depth": 1}, "batch": 4, "accelerator": "cpu", "loss": "l2"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("march")
    problem = Burgers(snapshots=5, time=0.05, viscosity=0.05)
    generate(problem, 20, 32, 3, folder / "data", workers=1, verify_every=0, progress=False)
    train(TINY, data=str(folder / "data"), out=str(folder / "run"), pairs={"name": "one_step"}, steps=150)
    return folder / "run"


def test_a_step_that_is_hardly_trained_is_left_to_the_solver_and_said_so(run, tmp_path):
    inputs = Burgers().sample((32,), 1, range(3))
    found = march(run, inputs.numpy(), 4, 1e-3, tmp_path / "u.npy")
    assert found.verified
    assert found.difference < 1e-9
    assert "12 of 12 windows were left to the reference solver" in str(found)
    states = np.load(tmp_path / "u.npy")
    assert states.shape == (3, 4, 1, 32)
    step = Burgers(time=0.01, viscosity=0.05)
    np.testing.assert_allclose(states[:, 0], step.solve(inputs).value, rtol=1e-12, atol=1e-12)


def test_a_large_tolerance_leaves_it_to_the_network(run):
    found = march(run, Burgers().sample((32,), 1, range(3)).numpy(), 1, 2.0)
    assert int(found.solution.solved.sum()) < 3
    assert found.difference > 1e-3


def test_without_steps_the_way_is_shown(run):
    with pytest.raises(ValueError, match="--steps"):
        solve(run, Burgers().sample((32,), 1, [0]).numpy())
