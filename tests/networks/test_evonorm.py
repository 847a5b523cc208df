import torch

from vcycle.networks.evonorm import EPSILON, EvoNormB0, EvoNormS0
from vcycle.spaces import Domain, Space


def field(channels: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(0)
    return 2 + 3 * torch.randn(4, channels, 5, 6, dtype=torch.float64, generator=noise)


def space(channels: int) -> Space:
    return Space(Domain.unit(2), channels)


def test_s0_is_the_formula_with_32_groups():
    u, act = field(64), EvoNormS0(space(64)).double()
    variance = u.view(4, 32, 2, 5, 6).var((2, 3, 4), correction=0).repeat_interleave(2, 1)[..., None, None]
    torch.testing.assert_close(act(u), u * torch.sigmoid(u) / (variance + EPSILON).sqrt())


def test_s0_with_a_group_per_channel_divides_by_the_instance_deviation():
    u, act = field(8), EvoNormS0(space(8)).double()
    assert act.groups == 8
    expected = u * torch.sigmoid(u) / (u.var((2, 3), correction=0, keepdim=True) + EPSILON).sqrt()
    torch.testing.assert_close(act(u), expected)
    assert EvoNormS0(space(24)).groups == 8


def test_b0_without_slope_divides_by_the_larger_deviation():
    u, act = field(3), EvoNormB0(space(3)).double().train()
    act.slope.data.zero_()
    batch = u.var((0, 2, 3), correction=0).view(1, 3, 1, 1)
    alone = u.var((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(act(u), u / (torch.maximum(batch, alone) + EPSILON).sqrt())


def test_b0_learns_its_variance_in_training_only():
    u, act = field(3), EvoNormB0(space(3)).double()
    before = act.variance.clone()
    act.eval()(u)
    assert torch.equal(act.variance, before)
    act.train()(u)
    expected = 0.9 * before + 0.1 * u.var((0, 2, 3), correction=0).view(3, 1, 1)
    torch.testing.assert_close(act.variance, expected)
    assert torch.equal(act.eval()(u)[:1], act(u[:1]))


def test_constants_stay_finite():
    for act in (EvoNormS0(space(4)), EvoNormB0(space(4))):
        assert bool(act(torch.full((2, 4, 3, 3), 5.0)).isfinite().all())
