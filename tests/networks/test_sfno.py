"""SFNO: what holds because time is an axis, and the last layer linear."""

import itertools
import math

import pytest
import torch

from vcycle.networks import SFNO
from vcycle.networks.increment import Increment
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Space

PERIODIC = Domain.unit(2, "periodic")


def network(in_channels: int = 3, out_channels: int = 4, **options) -> SFNO:
    torch.manual_seed(0)
    defaults = {"width": 4, "depth": 2, "modes": 4, "time_modes": 4, "domain": PERIODIC}
    return SFNO(in_channels, out_channels, **{**defaults, **options}).double()


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("fields", [1, 2])
def test_without_a_last_layer_the_last_snapshot_stays(fields):
    net, x = network(3 * fields, 4 * fields, fields=fields), random(2, 3 * fields, 8, 6)
    for p in net.head.parameters():
        p.data.zero_()
    last = x[:, -fields:]
    assert torch.equal(net(x), last.repeat(1, 4, 1, 1))
    bare = network(3 * fields, 4 * fields, fields=fields, residual=False)
    bare.load_state_dict(net.state_dict())
    assert (bare(x) == 0).all()


def test_the_last_layer_is_linear_and_the_first_output_close_to_the_last_snapshot():
    net, x = network(), random(2, 3, 8, 8)
    assert float((net(x) - x[:, -1:]).detach().abs().mean()) < 0.3 * float(x.abs().mean())
    z = net._before_head(x)
    net.head.K.bias.data.zero_()
    torch.testing.assert_close(net.head(2 * z), 2 * net.head(z))


def test_it_commutes_with_shifts_in_space():
    net, x = network(coordinates=None), random(2, 3, 9, 8)
    torch.testing.assert_close(net(x.roll((2, 5), (2, 3))), net(x).roll((2, 5), (2, 3)), rtol=0, atol=1e-13)


def test_no_parameter_depends_on_the_number_of_snapshots():
    one, many = network(3, 1), network(3, 7)
    assert {k: v.shape for k, v in one.state_dict().items()} == {k: v.shape for k, v in many.state_dict().items()}
    many.load_state_dict(one.state_dict())
    x = random(2, 3, 8, 8)
    assert torch.equal(one.with_steps(7)(x), many(x))
    assert one(x).shape == (2, 1, 8, 8)
    assert one.with_steps(7).head.K.weight is one.head.K.weight


def test_more_instants_sample_the_same_functions_of_time():
    """Every second of twice as many, up to the quadrature of the window's modes."""
    net, x = network(3, 4, time_features=1), random(2, 3, 8, 8)
    images = [net.with_steps(steps)(x)[:, steps // 4 - 1 :: steps // 4].detach() for steps in (16, 32, 64, 128)]
    increments = float((images[-1] - x[:, -1:]).abs().max())
    gaps = [float((a - b).abs().max()) / increments for a, b in itertools.pairwise(images)]
    assert gaps[0] < 0.3
    assert all(b < 0.7 * a for a, b in itertools.pairwise(gaps))


def test_further_output_modes_change_nothing_until_they_are_used():
    net, x = network(), random(2, 3, 8, 9)
    before = net(x)
    wide = net.with_output_modes((5, 8, 9))
    torch.testing.assert_close(wide(x), before, rtol=0, atol=1e-13)
    assert wide.blocks is net.blocks
    assert wide.head.K.weight.shape == (4, 1, 5, 8, 5, 2)
    noise = 0.1 * random(*wide.head.K.weight.shape)
    wide.head.K.weight.data += noise
    assert float((wide(x) - before).detach().abs().max()) > 1e-3
    assert torch.equal(net(x), before)
    rough = torch.fft.fft2(wide(x) - before).detach()[..., 3:6, 4].abs()
    assert float(rough.max()) > 1e-3  # beyond |k| <= 2
    direct = network(output_modes=(5, 8, 9))
    direct.load_state_dict(wide.state_dict())
    torch.testing.assert_close(direct(x), wide(x))


@pytest.mark.parametrize(("narrow", "wide"), [((4, 4), (7, 6)), ((3, 5), (4, 5)), ((2, 2), (9, 8))])
def test_widened_modes_keep_their_frequencies(narrow, wide):
    source, target = Space(Domain.unit(2, "periodic"), 2), Space(Domain.unit(2, "periodic"), 1)
    head = Increment(source, target, narrow, 9).double()
    z = random(2, 3, 10, 11)
    torch.testing.assert_close(head.with_modes(wide)(z), head(z), rtol=0, atol=1e-13)


def test_the_end_of_the_window_is_not_followed_by_its_beginning():
    """With padding, a kernel in time that reaches one step sees zeros beyond the end."""
    padded, wrapped = network(3, 8, time_padding=0.5), network(3, 8, time_padding=0.0)
    x = random(1, 3, 8, 8)
    assert padded._before_head(x).shape[2] == 12
    assert wrapped._before_head(x).shape[2] == 8
    assert not torch.equal(padded(x), wrapped(x))


def test_time_channels():
    channels = network(time_features=2)._time_channels(4)
    t = torch.tensor([0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    torch.testing.assert_close(channels[0], t)
    torch.testing.assert_close(channels[2], (-t).exp() * (2 * math.pi * t).cos())
    torch.testing.assert_close(channels[3], (-t).exp() * (math.pi * t).sin())
    assert network(time_features=0)._time_channels(4).shape == (1, 4)


def test_parameters_are_counted():
    """P; per block K with bias, B, M, G; the last K with bias and B."""
    c, m = 4, 4 * 4 * 3 * 2
    lift = c * (3 + 2 + 1 + 4) + c
    block = c * c * m + c + c * c + (2 * c + 2 + 2 * c + c) + c
    assert count_parameters(network()) == lift + 2 * block + (c * m + 1) + c
    assert count_parameters(SFNO(1, 1)) == 660_425


@pytest.mark.parametrize(
    "options",
    [
        {"modes": (4, 6)},
        {"time_modes": 2},
        {"time_padding": 0.5},
        {"time_features": 1},
        {"output_modes": (4, 6, 4)},
        {"activation": "tanh"},
        {"coordinates": None},
        {"coordinates": "corners"},
        {"residual": False},
        {"depth": 1},
    ],
    ids=str,
)
def test_every_option_does_something(options):
    x = random(2, 3, 8, 8)
    assert not torch.equal(network(**options)(x), network()(x))


@pytest.mark.parametrize(
    ("shape", "domain"),
    [((12,), Domain.unit(1, "periodic")), ((8, 6), Domain([1.0, 2.0], ["neumann", ("dirichlet", "neumann")]))],
)
def test_one_and_two_dimensions_and_any_boundary(shape, domain):
    assert network(4, 6, fields=2, domain=domain)(random(2, 4, *shape)).shape == (2, 6, *shape)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="adds time to the axes of space"):
        SFNO(1, 1, domain=Domain.unit(3))
    with pytest.raises(ValueError, match="3 input and 4 output channels are not whole snapshots of 2 fields"):
        SFNO(3, 4, fields=2)
    with pytest.raises(ValueError, match=r"got modes=\(4, 4, 4\) for 2 axes of space"):
        SFNO(1, 1, modes=(4, 4, 4))
    with pytest.raises(ValueError, match=r"got modes \(4, 3, 4\): give 3 numbers, none below \(4, 4, 4\)"):
        network().with_output_modes((4, 3, 4))
