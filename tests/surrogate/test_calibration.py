"""Calibrated bounds: what was promised is what is measured, for any network, and files give it back."""

import math

import pytest
import torch
from torch import nn

from vcycle.hybrid.scores import within
from vcycle.problems import AdvectionDiffusion, Darcy
from vcycle.spaces import H1, L2, Domain
from vcycle.surrogate import Calibration, Ensemble, Surrogate, write_calibration
from vcycle.surrogate.calibration_store import read_calibration

PROBLEM = AdvectionDiffusion()
SHAPE, SAMPLES = (32,), 59


class Damped(nn.Module):
    """A poor network: the solution as if there were no velocity, and a little more."""

    def __init__(self, weight: float):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))

    def forward(self, x):
        return self.weight * x + 0.3 * x.roll(3, 2)


def pairs(seed, count, problem=PROBLEM, shape=SHAPE):
    a = problem.sample(shape, seed, range(count))
    return a, problem.solve(a).value


def surrogate(network, problem=PROBLEM):
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


def calibrated(s, count=SAMPLES, problem=PROBLEM, shape=SHAPE, **options):
    reference, samples = pairs(1, 16, problem, shape), pairs(2, count, problem, shape)
    fit = Calibration.fit(s.answer(reference[0]), reference[1], s.answer(samples[0]), samples[1], s.domain, **options)
    return Surrogate(s.network, s.domain, s.input_names, s.output_names, problem=s.problem, calibration=fit)


@pytest.mark.parametrize(("network", "scale"), [("one", "channel"), ("one", "residual"), ("several", "spread")])
@pytest.mark.parametrize("share", [0.9, 1.0])
def test_each_bound_holds_on_the_share_of_fresh_inputs_that_its_law_allows(network, scale, share):
    members = [Damped(0.4), Damped(0.5), Damped(0.7)]
    s = calibrated(surrogate(members[0] if network == "one" else Ensemble(members)), scale=scale, share=share)
    a, u = pairs(3, 400)
    prediction = s.predict(a)
    c, error = prediction.calibrated, u - prediction.value
    assert (prediction.kind, prediction.bound, c.samples) == ("calibrated", None, SAMPLES)
    # k = 54 of 59: coverage of one set has the law Beta(54, 6), below 0.78 and above 0.98 once in a thousand.
    for held in (L2(s.domain)(error) <= c.l2, H1(s.domain)(error) <= c.h1, within(error, c.band, share)):
        assert 0.75 < float(held.double().mean()) < 0.995


def test_a_guaranteed_bound_stays_what_it_is_beside_the_calibrated_one():
    problem = Darcy()
    s = calibrated(surrogate(lambda a: 0.1 / a, problem), 20, problem, (8, 8))
    prediction = s.predict(problem.sample((8, 8), 5, range(3)))
    assert prediction.kind == "guaranteed"
    assert bool(torch.isfinite(prediction.bound).all())
    assert bool(torch.isfinite(prediction.calibrated.l2).all())


def test_too_few_samples_give_infinite_bounds_and_no_silent_number():
    c = calibrated(surrogate(Damped(0.5)), 8).predict(pairs(3, 2)[0]).calibrated
    assert c.l2.tolist() == c.h1.tolist() == [math.inf] * 2
    assert bool(torch.isinf(c.band).all())


def test_answers_that_are_no_numbers_have_infinite_bands_before_and_after_calibration():
    def sometimes(x):
        return torch.where(x[:, :, :1] > 0, torch.nan, x)

    honest = calibrated(surrogate(Damped(0.5)))
    a = pairs(3, 20)[0]
    broken = Surrogate(sometimes, *(getattr(honest, n) for n in ("domain", "input_names", "output_names")))
    broken = Surrogate(**{**vars(broken), "calibration": honest.calibration})
    c, lost = broken.predict(a).calibrated, a[:, 0, 0] > 0
    assert 0 < int(lost.sum()) < 20
    assert torch.equal(torch.isinf(c.l2), lost)
    assert torch.equal(torch.isinf(c.band).flatten(1).all(1), lost)
    assert torch.equal(torch.isinf(c.band).flatten(1).any(1), lost)
    # Half of the calibration samples without an answer: nothing finite can hold in 9 cases of 10.
    assert bool(torch.isinf(calibrated(surrogate(sometimes)).predict(a).calibrated.l2).all())
    never = calibrated(surrogate(lambda x: torch.full_like(x, torch.nan)))
    assert bool(torch.isinf(never.predict(a).calibrated.band).all())


def test_another_grid_has_no_calibrated_bound():
    s = calibrated(surrogate(Damped(0.5)))
    prediction = s.predict(pairs(3, 2, shape=(64,))[0])
    assert (prediction.kind, prediction.calibrated) == ("none", None)


def test_the_order_of_the_calibration_samples_does_not_matter():
    s, (a, u), reference = surrogate(Damped(0.5)), pairs(2, SAMPLES), pairs(1, 16)
    order = torch.randperm(SAMPLES, generator=torch.Generator().manual_seed(0))
    fits = [
        Calibration.fit(s.answer(reference[0]), reference[1], s.answer(a[p]), u[p], s.domain)
        for p in (torch.arange(SAMPLES), order)
    ]
    for name in ("l2", "h1", "band"):
        assert fits[0].quantile(name) == pytest.approx(fits[1].quantile(name), rel=1e-12)


def test_a_calibration_comes_back_from_its_files_bit_by_bit(tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"weights")
    s = calibrated(surrogate(Ensemble([Damped(0.4), Damped(0.6)])), scale="spread", level=0.8, origin="a test")
    assert read_calibration(tmp_path, [weights]) is None
    write_calibration(s.calibration, tmp_path, [weights])
    again = read_calibration(tmp_path, [weights])
    a = pairs(3, 4)[0]
    before, after = (c(s.answer(a), s.domain) for c in (s.calibration, again))
    for name in ("l2", "h1", "band", "p"):
        assert torch.equal(getattr(before, name), getattr(after, name))
    assert (again.level, again.samples, again.origin, again.scale) == (0.8, SAMPLES, "a test", "spread")
    weights.write_bytes(b"other weights")
    with pytest.raises(ValueError, match="made for other weights"):
        read_calibration(tmp_path, [weights])
    (tmp_path / "calibration.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="no calibration that can be read"):
        read_calibration(tmp_path, [weights])


def test_an_ensemble_has_the_mean_and_the_spread_of_its_members():
    members = [Damped(0.4), Damped(0.5), Damped(0.9)]
    a = pairs(3, 4)[0]
    answer = surrogate(Ensemble(members)).answer(a)
    each = torch.stack([surrogate(m).apply(a) for m in members])
    torch.testing.assert_close(answer.value, each.mean(0), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(answer.spread, each.std(0), rtol=1e-12, atol=1e-14)
    with pytest.raises(ValueError, match="at least two"):
        Ensemble(members[:1])
    with pytest.raises(ValueError, match="no spread"):
        calibrated(surrogate(members[0]), scale="spread")
    assert surrogate(lambda x: x).domain == Domain.unit(1, "periodic")
