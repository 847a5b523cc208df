"""The schedules are torch's, as closed formulas."""

import pytest
import torch

from vcycle.training import Constant, Cosine, OneCycle, Stairs


def torch_rates(make, steps):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=0.02)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][0]))
        optimizer.step()
        scheduler.step() if len(rates) < steps else None
    return rates


@pytest.mark.parametrize("steps", [7, 40, 1000])
@pytest.mark.parametrize(("pct", "div", "final"), [(0.2, 2.0, 100.0), (0.3, 25.0, 1e4), (0.1, 2.0, 50.0)])
def test_one_cycle_equals_torchs(steps, pct, div, final):
    def make(optimizer):
        kwargs = {"pct_start": pct, "div_factor": div, "final_div_factor": final}
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=steps, **kwargs)

    schedule = OneCycle(pct, div, final)
    own = [(0.02 * r.factor, r.momentum) for r in (schedule(s, steps) for s in range(steps))]
    for got, expected in zip(own, torch_rates(make, steps), strict=True):
        assert got == pytest.approx(expected, rel=1e-12)


def test_one_cycle_without_momentum_leaves_the_betas_alone():
    assert OneCycle(cycle_momentum=False)(3, 10).momentum is None


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_equals_torchs(final):
    def make(optimizer):
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=final * 0.02)

    own = [0.02 * Cosine(final)(s, 50).factor for s in range(50)]
    assert own == pytest.approx([lr for lr, _ in torch_rates(make, 50)], rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("stairs", [1, 4, 5])
def test_stairs_equal_torchs_steps(stairs):
    def make(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=60 // stairs, gamma=0.5)

    own = [0.02 * Stairs(stairs, 0.5)(s, 60).factor for s in range(60)]
    assert own == pytest.approx([lr for lr, _ in torch_rates(make, 60)], rel=1e-12)


def test_constant():
    assert {Constant()(s, 9).factor for s in range(9)} == {1.0}


@pytest.mark.parametrize("steps", range(1, 12))
def test_every_length_of_run_has_finite_rates_between_zero_and_the_peak(steps):
    for schedule in (OneCycle(), OneCycle(pct_start=1.0), OneCycle(pct_start=0.0), Cosine(), Stairs()):
        assert all(0 <= schedule(s, steps).factor <= 1 for s in range(steps))
