import pytest
import torch

from vcycle.hybrid.conformal import p_value
from vcycle.hybrid.input_distance import InputDistance
from vcycle.problems import Burgers, Darcy, LogNormal, TwoPhase
from vcycle.spaces import Domain, GaussianField

FITTED, CALIBRATION = 48, 99


def drawn(field, seed, count, shape=(32, 32)):
    return field.sample(shape, seed, range(count))


@pytest.mark.parametrize("shape", [(64,), (8, 8), (4, 4, 4), (7, 9)])
def test_false_alarms_are_as_rare_as_the_level_says(shape):
    """P(p <= t) <= t on average over calibration sets; one set of 99 has a share of alarms of law Beta(5, 95)."""
    field = GaussianField(Domain.unit(len(shape), "periodic"))
    distance = InputDistance.fit(drawn(field, 1, FITTED, shape))
    scores = distance(drawn(field, 2, 10 * (CALIBRATION + 20), shape)).view(10, -1)
    alarms = [(p_value(row[CALIBRATION:], row[:CALIBRATION]) <= 0.05).double().mean() for row in scores]
    assert float(torch.stack(alarms).mean()) < 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5


@pytest.mark.parametrize(
    "shift",
    [
        lambda x: 3 * x,
        lambda x: x + 3,
        lambda x: x + 0.5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype),
        lambda x: x.flip(2) * torch.linspace(0, 4, x.shape[2], dtype=x.dtype).view(-1, 1),
    ],
    ids=["larger", "moved", "noisy", "tilted"],
)
def test_other_inputs_are_seen_to_be_other(shift):
    field = GaussianField(Domain.unit(2))
    distance = InputDistance.fit(drawn(field, 1, FITTED))
    scores = distance(drawn(field, 2, CALIBRATION))
    assert float((p_value(distance(shift(drawn(field, 3, 50))), scores) <= 0.05).double().mean()) > 0.5


def test_another_contrast_is_far_and_another_equation_cannot_be_seen():
    usual = Darcy(prior=TwoPhase(3.0, 12.0)), Darcy(prior=TwoPhase(1.0, 20.0)), Darcy(prior=LogNormal())
    distance = InputDistance.fit(usual[0].sample((16, 16), 1, range(FITTED)))
    own = distance(usual[0].sample((16, 16), 2, range(CALIBRATION)))
    for other in usual[1:]:
        assert bool((p_value(distance(other.sample((16, 16), 3, range(20))), own) <= 0.05).all())
    waves = Burgers(viscosity=0.01), Burgers(viscosity=0.001)
    distance = InputDistance.fit(waves[0].sample((64,), 1, range(FITTED)))
    assert torch.equal(*(distance(w.sample((64,), 2, range(9))) for w in waves))


def test_constant_channels_and_few_samples_are_no_numbers_lost():
    x = torch.cat([torch.ones(5, 1, 8), torch.randn(5, 1, 8, generator=torch.Generator().manual_seed(0))], 1)
    distance = InputDistance.fit(x)
    assert bool(torch.isfinite(distance(x)).all())
    x[:, 0] += 1e-3
    assert float(distance(x).min()) > 30
    with pytest.raises(ValueError, match="at least two"):
        InputDistance.fit(x[:1])
