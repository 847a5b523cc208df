"""Dynamical systems: the published right-hand sides, trajectories that two methods agree on, known invariants."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vcycle.data import dynamics
from vcycle.data.dynamics import dynamical_system, read_trajectories
from vcycle.data.schema import DataError
from vcycle.data.trajectories import states, windows

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "public" / "dysts_rhs.npz"
chaotic = pytest.mark.skipif(find_spec("dysts") is None, reason="dysts is not installed")


@chaotic
def test_right_hand_sides_are_the_published_ones():
    if not VECTORS.exists():
        pytest.skip("reference vectors are not beside this checkout")
    with np.load(VECTORS) as z:
        for about in json.loads(str(z["config"]))["systems"]:
            name = about["name"]
            system = dynamical_system(name)
            rhs = np.stack([system.rhs(x, t) for x, t in zip(z[f"{name}/X"], z[f"{name}/t"], strict=True)])
            np.testing.assert_allclose(rhs, z[f"{name}/rhs"], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(system.start, about["ic"])
            assert system.period == about["period"]
            assert system.invariants.largest_lyapunov_exponent == about["max_lyap"]


@chaotic
def test_lorenz_is_the_lorenz_system():
    system = dynamical_system("Lorenz", {"beta": 8 / 3})
    x, y, z = state = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(system.rhs(state, 0.0), [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
    assert system.invariants.kaplan_yorke_dimension == pytest.approx(2.06, abs=0.02)
    with pytest.raises(DataError, match="no parameter 'bet'"):
        dynamical_system("Lorenz", {"bet": 1.0})
    with pytest.raises(DataError, match="is no flow of dysts"):
        dynamical_system("MackeyGlass")


@chaotic
def test_nearby_trajectories_part_at_the_rate_of_the_largest_exponent():
    system = dynamical_system("Lorenz")
    x, rates = system.start, []
    push = np.array([1e-6, 0.0, 0.0])
    for _ in range(40):
        times = np.array([1.0])
        later, other = (system.states(start, times, "LSODA")[-1] for start in (x, x + push))
        rates.append(np.log(np.linalg.norm(other - later) / np.linalg.norm(push)))
        push = 1e-6 * (other - later) / np.linalg.norm(other - later)
        x = later
    assert np.mean(rates[10:]) == pytest.approx(0.9, abs=0.2)


@chaotic
def test_trajectories_are_data_like_all_others():
    data = read_trajectories(dynamical_system("Lorenz"), 10, seed=0, states=4)
    found = states(data)
    assert found.fields == ("x1", "x2", "x3")
    assert found.interval == pytest.approx(1.5008 / 10)
    assert len(windows(data).split("train")) == 8 * 3
    batch = data.split("train").read(range(2))
    system, start = dynamical_system("Lorenz"), batch.inputs[0, :, 0].numpy()
    expected = system.states(start, np.array(found.times), "Radau").ravel()[3:]
    np.testing.assert_allclose(batch.outputs[0, :, 0].numpy(), expected, rtol=1e-5)
    assert "largest_lyapunov_exponent=0.89" in data.description.source


def test_without_the_collection_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(dynamics, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'vcycle\[chaos\]'"):
        dynamical_system("Lorenz")
