import pytest
import torch
import torch.nn.functional as F

from vcycle.networks import ACTIVATIONS, activation


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_each_acts_at_every_point(name):
    u = torch.randn(2, 3, 4)
    torch.testing.assert_close(activation(name)(u)[:, 1], activation(name)(u[:, 1]))


def test_gelu_is_the_exact_one():
    u = torch.randn(100, dtype=torch.float64)
    expected = u * 0.5 * (1 + torch.erf(u / 2**0.5))
    torch.testing.assert_close(activation("gelu")(u), expected, rtol=0, atol=1e-15)
    assert float((expected - F.gelu(u, approximate="tanh")).abs().max()) > 1e-5


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown activation 'relus': did you mean 'relu'"):
        activation("relus")
