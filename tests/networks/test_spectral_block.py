import itertools
import math

import pytest
import torch

from vcycle.networks.spectral_block import LatentOptions, SpectralBlock, TrigonometricSeries
from vcycle.spaces import Domain, Space

SQUARE = Space(Domain.unit(2), 6)


def block(seed: int = 3, space: Space = SQUARE, **options: int | bool) -> SpectralBlock:
    torch.manual_seed(seed)
    made = SpectralBlock(space, LatentOptions(**{"tokens": 3, "heads": 2, "frequencies": 5} | options)).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


def field(*shape: int, seed: int = 1) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=noise)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def repeated(u: torch.Tensor) -> torch.Tensor:
    return u.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_it_is_the_formula():
    """One patch, written out for every head and point."""
    T, u = block(), field(1, 6, 2, 3)
    points = u.flatten(2)[0].T
    kv = (points @ T.keys_values.weight.T).view(6, 2, 3, 2)
    query = (points @ T.queries.weight.T + T.queries.bias).view(6, 2, 3)
    expected = points.clone()
    for head, point in itertools.product(range(2), range(6)):
        z = []
        for q in T.tokens[head]:
            share = torch.stack([q @ kv[p, head, :, 0] for p in range(6)]).softmax(0)
            t = q + sum(share[p] * kv[p, head, :, 1] for p in range(6))
            entries = []
            for e in range(3):
                a, b = T.series.weight[3 * head + e].split(5)
                f = sum(
                    a[m] * torch.sin(math.pi * (m + 1) / 5 * t[e]) + b[m] * torch.cos(math.pi * m / 5 * t[e])
                    for m in range(5)
                )
                entries.append(t[e] + f)
            z.append(torch.stack(entries))
        share = torch.stack([query[point, head] @ token for token in z]).softmax(0)
        gate = T.gate[3 * head : 3 * head + 3]
        expected[point, 3 * head : 3 * head + 3] += gate * sum(s * token for s, token in zip(share, z, strict=True))
    close(T(u, (2, 3)), expected.T.reshape(1, 6, 2, 3))


def test_without_values_it_is_the_identity():
    T = block()
    for parameter in (T.tokens, T.keys_values.weight, T.series.weight):
        torch.nn.init.zeros_(parameter)
    u = field(2, 6, 4, 6)
    assert torch.equal(T(u, (2, 3)), u)


def test_patches_are_independent():
    T, u = block(), field(1, 6, 4, 6)
    v = u.clone()
    v[..., 2:, 3:] = 7.0
    changed = (T(v, (2, 3)) != T(u, (2, 3))).any(1)[0]
    assert bool(changed[2:, 3:].all()) and int(changed.sum()) == 6


def test_points_of_a_patch_have_no_order():
    T, u = block(), field(2, 6, 4, 6)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5))

    def shuffled(u: torch.Tensor) -> torch.Tensor:
        left, right = u.split(3, -1)
        return torch.cat([left.flatten(2)[..., order].view_as(left), right], -1)

    close(T(shuffled(u), (4, 3)), shuffled(T(u, (4, 3))))


def test_weights_of_the_points_add_up_to_1():
    """Where u is constant, every token is q + V u."""
    T, value = block(), field(6)
    torch.nn.init.zeros_(T.series.weight)
    torch.nn.init.ones_(T.gate)
    mean = (T.keys_values.weight @ value).view(2, 3, 2)[..., 1]
    tokens = T.tokens + mean[:, None]
    query = (T.queries.weight @ value + T.queries.bias).view(2, 1, 3)
    expected = value + ((query @ tokens.mT).softmax(-1) @ tokens).flatten()
    close(T(value.view(1, 6, 1, 1).expand(1, 6, 4, 4), (4, 4)), expected.view(1, 6, 1, 1).expand(1, 6, 4, 4))


def test_weights_of_the_tokens_add_up_to_1():
    """Where all tokens are the same, every point gets that token, whatever its query."""
    T, u = block(), field(1, 6, 4, 4)
    with torch.no_grad():
        T.tokens.copy_(T.tokens[:, :1].expand_as(T.tokens))
    added = T(u, (4, 4)) - u
    close(added, added[..., :1, :1].expand_as(added))


def test_tokens_know_the_distribution_of_the_values_not_their_number():
    """Every value four times on twice the points: the same tokens."""
    T, u = block(), field(2, 6, 4, 4)
    close(T(repeated(u), (4, 4)), repeated(T(u, (2, 2))))


@pytest.mark.parametrize("shape", [(8,), (4, 6), (4, 2, 6)])
def test_any_dimension(shape):
    T = block(space=Space(Domain.unit(len(shape)), 6))
    u = field(2, 6, *shape)
    assert T(u, (2,) * len(shape)).shape == u.shape


def test_every_parameter_matters():
    T = block()
    T(field(2, 6, 4, 6), (2, 3)).square().sum().backward()
    for parameter in T.parameters():
        assert bool((parameter.grad.abs() > 1e-6).all())


def test_the_published_block_has_published():
    """Sines of frequency 0, exactly; biases of keys, up to round-off. Frequency 0 of the cosines is alive."""
    T = block(published=True)
    T(field(2, 6, 4, 6), (2, 3)).square().sum().backward()
    gradient = T.series.weight.grad
    assert float(gradient[:, 0].abs().max()) == 0
    assert bool((gradient[:, 1:].abs() > 1e-6).all())
    keys, values = T.keys_values.bias.grad.view(-1, 2).unbind(1)
    assert float(keys.abs().max()) < 1e-12 < 1e-3 < float(values.abs().min())


def test_the_series_has_period_2_M():
    torch.manual_seed(1)
    f, z = TrigonometricSeries(4, 6).double(), field(2, 4, 3)
    close(f(z + 12), f(z))
    assert not torch.allclose(f(z + 6), f(z))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="6 channels out to 4 heads"):
        block(heads=4)
    for patch in ((3, 3), (2,)):
        with pytest.raises(ValueError, match=r"a grid of \(4, 6\) points cannot be cut into patches"):
            block()(field(1, 6, 4, 6), patch)
