"""Rollouts measured on fields whose measures are known exactly."""

import json
import math

import torch

from vcycle.analysis import measure_rollout
from vcycle.spaces import Domain, Grid

DOMAIN = Domain.unit(1, "periodic")
X = 2 * math.pi * Grid(DOMAIN, (32,)).axis(0)
TIMES = (0.5, 1.0, 1.5, 2.0)


def shifted(phases):
    return torch.stack([torch.sin(X + p) for p in phases])[None, :, None]


def test_a_phase_error_is_its_sine_and_its_cosine():
    phases = torch.tensor([0.1, 0.4, 0.9, 1.4], dtype=torch.float64)
    found = measure_rollout(shifted(phases), shifted(0 * phases), shifted([0.0])[:, 0], TIMES, DOMAIN, lyapunov=2.0)
    torch.testing.assert_close(found.correlation[0], phases.cos())
    torch.testing.assert_close(found.error[0], 2 * (phases / 2).sin())
    torch.testing.assert_close(found.energy[0], torch.ones(4, dtype=torch.float64))
    assert float(found.persistence.max()) == 0.0 and float(found.mass.max()) < 1e-14
    before, after = math.cos(0.4), math.cos(0.9)
    time = 1.0 + 0.5 * (before - 0.8) / (before - after)
    torch.testing.assert_close(found.correlation_time, torch.tensor([time], dtype=torch.float64))
    torch.testing.assert_close(found.horizon, 2 * found.correlation_time)
    assert found.spectrum is not None and int(found.spectrum.error.argmax()) == 1


def test_amplitude_and_mean_are_seen_by_energy_and_mass():
    u = 1 + torch.stack([torch.sin(X)] * 4)[None, :, None]
    found = measure_rollout(1.1 * u, u, u[:, 0], TIMES, DOMAIN)
    torch.testing.assert_close(found.energy, torch.full((1, 4), 1.21, dtype=torch.float64))
    torch.testing.assert_close(found.mass, torch.full((1, 4), 0.1, dtype=torch.float64))
    assert found.correlation_time.tolist() == [math.inf] and found.horizon is None
    assert "beyond t = 2" in str(found)


def test_what_blows_up_is_infinitely_wrong_and_written_as_null():
    predicted = shifted([0.0] * 4).clone()
    predicted[:, 2:] = torch.nan
    found = measure_rollout(predicted, shifted([0.0] * 4), shifted([0.0])[:, 0], TIMES, DOMAIN)
    assert found.error[0].isinf().tolist() == [False, False, True, True]
    torch.testing.assert_close(found.correlation_time, torch.tensor([1.1], dtype=torch.float64))
    assert found.spectrum is None
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["error"][2:] == [None, None]


def test_variables_without_space_are_correlated_with_each_other_about_what_is_usual():
    """u on a circle, v turned by an angle: the correlation is its cosine, whatever is added to both."""
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    phases = torch.tensor([0.1, 0.4, 0.9, 1.4], dtype=torch.float64)
    turn = torch.zeros(4, dtype=torch.float64)

    def states(phases):
        both = torch.stack([(angle[:, None] + phases).cos(), (angle[:, None] + phases).sin()], 2)
        return (both + 5)[..., None].expand(-1, -1, -1, 2)

    found = measure_rollout(states(phases), states(turn), states(turn)[:, 0], TIMES, DOMAIN)
    torch.testing.assert_close(found.correlation, phases.cos().expand(8, -1))
