import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vcycle.networks.attention import ATTENTIONS, Attention, HeadNorm, attention_named, galerkin
from vcycle.spaces import Domain, Space

LINE = Domain.unit(1)


class Passing(nn.Module):
    """The identity, which the kinds cannot know to be one."""

    def forward(self, u):
        return 1.0 * u


class Masked(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def forward(self, u):
        return self.mask * u


def heads(n: int, features: int = 5, seed: int = 0) -> list[torch.Tensor]:
    noise = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 3, features, n, dtype=torch.float64, generator=noise) for _ in range(3)]


def attention(kind: str, **options) -> Attention:
    """Of 12 channels with 2 coordinates, all parameters random."""
    torch.manual_seed(0)
    made = Attention(Space(LINE, 12), 3, ATTENTIONS[kind], **{"coordinates": 2, **options}).double()
    with torch.no_grad():
        for p in made.parameters():
            p.add_(0.5 * torch.randn_like(p))
    return made


def field(n: int, channels: int = 12, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, channels, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_points(kind: str, q, k, v):
    """Every kind as an average over points y of a kernel kappa(x, y) times v(y)."""
    e, n = q.shape[-2], q.shape[-1]
    if kind == "linear":
        q, k = q.softmax(-2), n * k.softmax(-1)
    kernel = torch.einsum("bhex,bhey->bhxy", q, k)
    if kind == "fourier":
        kernel = kernel / math.sqrt(e)
    if kind == "softmax":
        kernel = (kernel / math.sqrt(e)).exp()
        kernel = kernel / kernel.mean(-1, keepdim=True)
    return torch.einsum("bhxy,bhey->bhex", kernel, v) / n


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_every_kind_is_an_integral_operator(kind):
    q, k, v = heads(17)
    expected = by_points(kind, q, k, v)
    for dropout in (nn.Identity(), Passing()):
        torch.testing.assert_close(ATTENTIONS[kind](q, k, v, dropout), expected, rtol=1e-12, atol=1e-13)


def test_the_product_is_associative():
    q, k, v = heads(40)
    left, right = (v @ k.mT) @ q / 40, v @ (k.mT @ q) / 40
    torch.testing.assert_close(left, right, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(galerkin(q, k, v, nn.Identity()), left, rtol=1e-13, atol=1e-13)


def test_galerkin_attention_with_orthonormal_functions_is_the_projection():
    points = (torch.arange(64, dtype=torch.float64) + 0.5) / 64
    basis = torch.stack([(math.pi * j * points).cos() * (1 if j == 0 else math.sqrt(2)) for j in range(4)])
    inside, outside = (2 * basis[3] - basis[1])[None], (math.pi * 7 * points).cos()[None]
    q = basis[None, None]
    projected = galerkin(q, q, torch.cat([inside, outside + inside])[None, None], nn.Identity())
    torch.testing.assert_close(projected[0, 0], torch.cat([inside, inside]), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kind", "power"), [("galerkin", 1), ("linear", 1), ("fourier", 1), ("softmax", 2)])
def test_cost_grows_with_the_tokens(kind, power):
    def cost(n: int) -> int:
        with FlopCounterMode(display=False) as counter:
            ATTENTIONS[kind](*heads(n), Passing() if kind == "softmax" else nn.Identity())
        return counter.get_total_flops()

    assert cost(256) == 2**power * cost(128)


@pytest.mark.parametrize("head_norm", ["layer", "instance", None])
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_writing_every_point_twice_changes_nothing(kind, head_norm):
    network, u, x = attention(kind, head_norm=head_norm), field(11), field(11, 2, seed=2)
    once = network(u, u, u, x)
    u, x = u.repeat_interleave(2, 2), x.repeat_interleave(2, 2)
    torch.testing.assert_close(network(u, u, u, x)[..., ::2], once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("head_norm", ["layer", "instance"])
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_tokens_may_be_in_any_order(kind, head_norm):
    network, u, x = attention(kind, head_norm=head_norm), field(13), field(13, 2, seed=2)
    order = torch.randperm(13, generator=torch.Generator().manual_seed(3))
    shuffled, y = u[..., order], x[..., order]
    expected = network(u, u, u, x)[..., order]
    torch.testing.assert_close(network(shuffled, shuffled, shuffled, y), expected, rtol=1e-11, atol=1e-12)
    alone = network(shuffled, shuffled, shuffled, x).detach()
    assert float((alone - expected).detach().abs().max()) > 0.1


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_it_converges_as_the_grid_is_refined(kind):
    network = attention(kind)

    def image(n: int) -> torch.Tensor:
        """On cells, whose centres are centres again on grids three times as fine."""
        x = ((torch.arange(n, dtype=torch.float64) + 0.5) / n)[None, None]
        u = torch.cat([(x * (j % 4) + 0.3 * j).sin() for j in range(12)], 1)
        return network(u, u, u, torch.cat([x, x.square()], 1))

    coarse, middle, fine = image(15), image(45), image(135)
    first = float((middle[..., 1::3] - coarse).detach().abs().max())
    second = float((fine[..., 1::3] - middle).abs().max())
    assert 8.5 < first / second < 9.5


@pytest.mark.parametrize(
    ("kind", "normed"), [("galerkin", "kv"), ("linear", "kv"), ("fourier", "qk"), ("softmax", "qk")]
)
def test_two_of_three_are_normalised(kind, normed):
    assert sorted(attention(kind).norms) == sorted(normed)
    assert len(attention(kind, head_norm=None).norms) == 0


def test_head_norms_are_those_of_torch():
    u = field(7)
    split = u.unflatten(1, (3, 4))
    layer, instance = HeadNorm(3, 4, "layer").double(), HeadNorm(3, 4, "instance").double()
    expected = torch.stack([nn.LayerNorm(4).double()(split[:, head].mT).mT for head in range(3)], 1)
    torch.testing.assert_close(layer(split), expected, rtol=1e-13, atol=1e-13)
    expected = nn.InstanceNorm1d(12).double()(u).unflatten(1, (3, 4))
    torch.testing.assert_close(instance(split), expected, rtol=1e-13, atol=1e-13)


def test_it_starts_near_a_multiple_of_the_identity():
    network = Attention(Space(LINE, 12), 3, gain=0.0, diagonal=0.25)
    for W in (network.query, network.key, network.value):
        assert torch.equal(W.weight, 0.25 * torch.eye(12))
        assert not W.bias.any()
    spread = Attention(Space(LINE, 12), 3, gain=0.5, diagonal=0.0).query.weight
    assert 0.2 < float(spread.detach().abs().max()) <= 0.25  # gain times sqrt(6 / (12 + 12))


def test_query_and_keys_may_be_of_different_sizes():
    network, u, w = attention("galerkin", coordinates=0), field(6), field(9)
    out = network(u, w, w)
    assert out.shape == u.shape
    twice = w.repeat_interleave(2, 2)
    torch.testing.assert_close(network(u, twice, twice), out, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_dropout_acts_on_what_stands_between(kind):
    network, u, x = attention(kind, dropout=0.5), field(8), field(8, 2)
    plain = network.eval()(u, u, u, x)
    torch.testing.assert_close(attention(kind)(u, u, u, x), plain, rtol=1e-12, atol=1e-12)
    assert not torch.equal(network.train()(u, u, u, x), plain)
    network.dropout = Masked(0.0)
    torch.testing.assert_close(network(u, u, u, x), network.mix.bias[None, :, None].expand_as(u), rtol=0, atol=0)


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_share_the_channels_evenly(heads):
    with pytest.raises(ValueError, match=f"got {heads} heads for 12 channels"):
        Attention(Space(LINE, 12), heads)


def test_a_kind_that_does_not_exist():
    with pytest.raises(ValueError, match="unknown attention 'galerkn': did you mean 'galerkin'"):
        attention_named("galerkn")
