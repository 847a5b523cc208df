"""Chaotic systems from trajectories to a horizon in Lyapunov times; a Lorenz system stands in for dysts."""

import pytest

import vcycle
from vcycle.data import DataError
from vcycle.data.dynamics import DynamicalSystem
from vcycle.jobs import _chaos, chaos


class Lorenz:
    """What dysts says of a flow, by its names."""

    def __init__(self):
        self.ic, self.period, self.params = [-9.8, -20.4, 9.0], 1.5, {"rho": 28}
        self.maximum_lyapunov_estimated, self.kaplan_yorke_dimension = 0.89, 2.07

    def rhs(self, state, t):
        x, y, z = state
        return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(_chaos, "dynamical_system", lambda name, parameters: DynamicalSystem(name, Lorenz()))


def test_trajectories_train_a_step_whose_horizon_is_told_in_lyapunov_times(tmp_path):
    made = chaos("Lorenz", tmp_path / "data", samples=8, states=6, splits={"train": 5, "validation": 1, "test": 2})
    assert "3 variables, period 1.5, largest Lyapunov exponent 0.89 (evaluate --lyapunov 0.89)" in str(made)
    assert "train 5, validation 1, test 2" in str(made)
    network = {"name": "deeponet", "rank": 8, "width": 16}
    options = {"data": str(tmp_path / "data"), "pairs": {"name": "one_step"}, "network": network, "steps": 20}
    vcycle.train(**options, accelerator="cpu", out=str(tmp_path / "run"))
    rollout = vcycle.evaluate(tmp_path / "run", lyapunov=0.89).evaluation.rollout
    assert rollout.lyapunov == 0.89
    assert bool((rollout.horizon >= 0).all())


def test_folders_that_hold_data_are_left_alone(tmp_path):
    few = {"samples": 3, "states": 2, "splits": {"train": 1, "validation": 1, "test": 1}}
    chaos("Lorenz", tmp_path / "data", **few)
    with pytest.raises(DataError, match="holds data already"):
        chaos("Lorenz", tmp_path / "data", **few)
