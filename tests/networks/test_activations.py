import pytest
import torch
import torch.nn.functional as F

from vcycle.networks import ACTIVATIONS, activation
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(1), 3)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_each_acts_at_every_point(name):
    u = torch.randn(2, 3, 4)
    sigma = activation(name, SPACE)
    torch.testing.assert_close(sigma(u)[..., 1:2], sigma(u[..., 1:2]))


def test_gelu_is_the_exact_one():
    u = torch.randn(100, dtype=torch.float64)
    expected = u * 0.5 * (1 + torch.erf(u / 2**0.5))
    torch.testing.assert_close(activation("gelu", SPACE)(u), expected, rtol=0, atol=1e-15)
    assert float((expected - F.gelu(u, approximate="tanh")).abs().max()) > 1e-5


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown activation 'relus': did you mean 'relu'"):
        activation("relus", SPACE)
