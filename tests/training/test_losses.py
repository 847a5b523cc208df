"""Losses are the norms of vcycle.spaces: scale-free where relative, in physical units where absolute."""

import math

import pytest
import torch

from vcycle.spaces import H1, L2, Domain, Energy
from vcycle.training import Batch, energy, h1, l2

DOMAIN = Domain([1.0, 2.0])


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(9)
    a, u, v = (torch.rand(3, 1, 8, 8, generator=generator, dtype=torch.float64) + 0.5 for _ in range(3))
    return v, Batch(a, u)


def test_relative_losses_are_quotients_of_norms(case):
    v, batch = case
    for loss, norm in (
        (l2(DOMAIN), L2(DOMAIN)),
        (h1(DOMAIN), H1(DOMAIN)),
        (energy(lambda a: Energy(DOMAIN, a)), Energy(DOMAIN, batch.inputs)),
    ):
        assert torch.allclose(loss(v, batch), norm(v - batch.targets) / norm(batch.targets), rtol=1e-12)


def test_relative_losses_do_not_depend_on_units_and_absolute_ones_do(case):
    v, batch = case
    scaled = Batch(batch.inputs, 7 * batch.targets)
    assert torch.allclose(l2(DOMAIN)(7 * v, scaled), l2(DOMAIN)(v, batch), rtol=1e-12)
    absolute = l2(DOMAIN, relative=False)
    assert torch.allclose(absolute(7 * v, scaled), 7 * absolute(v, batch), rtol=1e-12)


def test_the_l2_loss_of_a_constant_offset_is_known():
    batch = Batch(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4))
    absolute = l2(DOMAIN, relative=False)
    assert absolute(batch.targets + 0.5, batch).item() == pytest.approx(0.5 * math.sqrt(2.0))


def test_the_energy_loss_weighs_each_sample_with_its_own_coefficient(case):
    v, batch = case
    loss = energy(lambda a: Energy(DOMAIN, a), relative=False)
    heavier = Batch(batch.inputs * torch.tensor([1.0, 4.0, 9.0]).view(3, 1, 1, 1), batch.targets)
    assert torch.allclose(loss(v, heavier) / loss(v, batch), torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))


def test_a_loss_without_labels_says_so():
    with pytest.raises(ValueError, match="the batch has none"):
        l2(DOMAIN)(torch.ones(1, 1, 4, 4), Batch(torch.ones(1, 1, 4, 4)))
