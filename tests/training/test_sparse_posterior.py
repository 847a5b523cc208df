"""Sparse-subspace variational inference: what its definition promises, and a posterior that is known in closed form."""

import math

import pytest
import torch
from torch import nn

from vcycle.training import Batch, Variational, fit_posterior
from vcycle.training.sparse_posterior import SPEAK_EVERY, divergence
from vcycle.training.support import Support, expected_size, signal_to_noise


class Line(nn.Module):
    """v = x . w on a grid of one point."""

    def __init__(self, n: int):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(n, dtype=torch.float64))

    def forward(self, x):
        return (x * self.w.view(1, -1, 1)).sum(1, keepdim=True)


def distance(v, batch):
    return (v - batch.targets).flatten(1).norm(dim=1)


def test_expected_size_has_its_limits_and_agrees_with_draws():
    mean = torch.tensor([0.7, -2.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(expected_size(mean, torch.full_like(mean, 1e-9)), mean.abs(), rtol=1e-8, atol=1e-8)
    sigma = torch.tensor([0.5, 3.0], dtype=torch.float64)
    torch.testing.assert_close(expected_size(torch.zeros(2).double(), sigma), sigma * math.sqrt(2 / math.pi))
    draws = 0.7 + 0.4 * torch.randn(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    law = torch.tensor([0.7]).double(), torch.tensor([0.4]).double()
    size, ratio = expected_size(*law), signal_to_noise(*law)
    assert size.item() == pytest.approx(draws.abs().mean().item(), rel=3e-3)
    assert ratio.item() == pytest.approx((draws.abs().mean() / draws.abs().std()).item(), rel=5e-3)
    zero = signal_to_noise(torch.zeros(1).double(), torch.full((1,), 7.0).double()).item()
    assert zero == pytest.approx(math.sqrt(2 / math.pi) / math.sqrt(1 - 2 / math.pi), rel=1e-12)


def test_fewer_and_fewer_entries_are_exchanged():
    s = Variational(steps=400, removed=0.3, until=0.75)
    assert (s.exchanged(0), s.exchanged(150)) == (0.3, pytest.approx(0.15))
    assert s.exchanged(300) == s.exchanged(400) == 0.0
    assert all(s.exchanged(t) > s.exchanged(t + 1) for t in range(299))


def test_the_divergence_is_that_of_torch():
    mean, deviation = torch.tensor([0.1, -0.4, 0.0]).double(), torch.tensor([0.2, 0.01, 0.3]).double()
    q, p = torch.distributions.Normal(mean, deviation), torch.distributions.Normal(torch.zeros(3).double(), 0.3)
    assert divergence(mean, deviation, 0.3).item() == pytest.approx(
        torch.distributions.kl_divergence(q, p).sum().item(), rel=1e-12
    )


def test_an_exchange_keeps_the_size_drops_the_noisiest_and_forgets_them():
    support = Support.random(100, 0.1, 0.01, 1e-2, 0, torch.zeros(100))
    (support.mean * torch.arange(10.0) + support.rho).sum().backward()
    support.optimizer.step()
    with torch.no_grad():
        support.mean.copy_(torch.linspace(0.0, 1.0, 10))
    before, gradient = support.indices.clone(), torch.arange(100.0)
    outside = sorted(set(range(100)) - set(before.tolist()))
    support.exchange(gradient, 0.3)
    assert support.indices.shape == before.shape == support.indices.unique().shape
    assert torch.equal(support.indices[3:], before[3:])
    assert sorted(support.indices[:3].tolist()) == outside[-3:]
    assert support.mean[:3].tolist() == [0.0] * 3
    assert bool((support.mean[3:] > 0).all())
    for state in support.optimizer.state.values():
        assert not bool(state["exp_avg"][:3].any() or state["exp_avg_sq"][:3].any())
        assert bool((state["exp_avg_sq"][4:] > 0).all())
    settled = support.indices.clone()
    support.exchange(gradient, 0.0)
    assert torch.equal(settled, support.indices)


def test_the_posterior_of_a_linear_model_is_the_exact_one():
    """n labels of noise tau: precision n E[x_i^2] / tau^2 + 1 / prior^2 for orthogonal inputs."""
    n, tau, prior = 64, 0.5, 1.0
    x = torch.cat([torch.eye(2).double().repeat(n // 2, 1)])[:, :, None] * torch.tensor([1.0, 3.0]).view(1, 2, 1)
    truth = torch.tensor([0.8, -0.3]).double()
    u = (x * truth.view(1, 2, 1)).sum(1, keepdim=True)
    settings = Variational(steps=2500, lr=2.5e-3, density=1.0, prior=prior, start=0.05, seed=1)
    posterior = fit_posterior(Line(2), lambda step: Batch(x, u), distance, tau, n, settings)
    order = posterior.support.argsort()
    precision = x.square().sum(0).flatten() / tau**2 + 1 / prior**2
    mean = (x * u).sum(0).flatten() / tau**2 / precision
    torch.testing.assert_close(posterior.deviation[order], precision.rsqrt(), rtol=0.1, atol=0)
    assert float(((posterior.mean[order] - mean) * precision.sqrt()).abs().max()) < 0.25


def test_weights_outside_the_support_are_those_of_the_centre_exactly_and_the_right_ones_are_found():
    """Two of forty weights matter: the support of four finds them, whatever it begins with."""
    torch.manual_seed(0)
    x = torch.randn(256, 40, 1, dtype=torch.float64)
    u = 0.5 * x[:, 7:8] - 0.5 * x[:, 31:32]
    settings = Variational(steps=600, lr=1e-2, density=0.1, prior=1.0, start=0.01, interval=25, removed=0.5)
    network = Line(40)
    posterior = fit_posterior(network, lambda step: Batch(x, u), distance, 0.1, 256, settings)
    assert len(posterior.support) == 4
    assert {7, 31} <= set(posterior.support.tolist())
    inside = torch.zeros(40, dtype=torch.bool)
    inside[posterior.support] = True
    for other in posterior.networks(network, 3):
        assert torch.equal(other.w[~inside], network.w[~inside])
        assert not torch.equal(other.w[inside], network.w[inside])
    assert not bool(network.w.any())
    means = dict(zip(posterior.support.tolist(), posterior.mean.tolist(), strict=True))
    assert (means[7], means[31]) == (pytest.approx(0.5, abs=0.03), pytest.approx(-0.5, abs=0.03))
    assert torch.equal(posterior.sample(5), posterior.sample(5))
    assert not torch.equal(posterior.sample(5), posterior.sample(6))


@pytest.mark.filterwarnings("error")
def test_it_is_quiet():
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # else only the first test to meet a warning would see it
    x = torch.ones(4, 3, 1, dtype=torch.float64)
    settings = Variational(steps=SPEAK_EVERY, density=0.5)
    try:
        fit_posterior(Line(3), lambda step: Batch(x, x[:, :1]), distance, 0.1, 4, settings)
    finally:
        torch.set_warn_always(always)
