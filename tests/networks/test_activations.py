import pytest
import torch
import torch.nn.functional as F

from vcycle.networks import ACTIVATIONS, activation
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(2), 6)
STATISTICAL = {"evonorm_s0"}  # sees the whole grid


def sigma(name: str, seed: int = 0) -> torch.nn.Module:
    """In double precision and evaluation mode, all parameters away from their special first values."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = activation(name, SPACE).double().eval()
        for p in module.parameters():
            p.data += 0.3 * torch.randn_like(p)
    return module


def field(seed: int = 1) -> torch.Tensor:
    return torch.randn(2, 6, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - STATISTICAL - {"evonorm_b0"}))
def test_each_acts_at_every_point(name):
    u, act = field(), sigma(name)
    torch.testing.assert_close(act(u)[..., 1:2], act(u[..., 1:2]))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_treats_samples_alone_and_has_finite_derivatives(name):
    u, act = field().requires_grad_(), sigma(name)
    torch.testing.assert_close(act(u)[:1], act(u[:1]))
    assert torch.autograd.gradcheck(act, (u,), fast_mode=True, atol=1e-5)
    zero = torch.zeros_like(u).requires_grad_()
    act(zero).sum().backward()
    assert zero.grad is not None
    assert bool(zero.grad.isfinite().all())


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dimension", [1, 3])
def test_every_activation_lives_in_every_dimension(name, dimension):
    u = torch.randn(2, 6, *(4, 5, 3)[:dimension])
    assert activation(name, Space(Domain.unit(dimension), 6))(u).shape == u.shape


def test_gelu_is_the_exact_one():
    u = torch.randn(100, dtype=torch.float64)
    expected = u * 0.5 * (1 + torch.erf(u / 2**0.5))
    torch.testing.assert_close(activation("gelu", SPACE)(u), expected, rtol=0, atol=1e-15)
    assert float((expected - F.gelu(u, approximate="tanh")).abs().max()) > 1e-5


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown activation 'relus': did you mean 'relu'"):
        activation("relus", SPACE)
