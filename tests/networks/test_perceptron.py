import torch
from torch import nn

from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.spaces import Domain, Space


def test_two_matrices_with_an_activation_between():
    domain = Domain.unit(1)
    M = ChannelPerceptron(Space(domain, 2), Space(domain, 5), Space(domain, 3), nn.Tanh()).double()
    u = torch.randn(4, 2, 7, dtype=torch.float64)
    inner = torch.tanh(torch.einsum("oi,bix->box", M.inner.weight, u) + M.inner.bias[:, None])
    expected = torch.einsum("oi,bix->box", M.outer.weight, inner) + M.outer.bias[:, None]
    torch.testing.assert_close(M(u), expected, rtol=0, atol=1e-14)


def test_dropout_acts_while_training_only():
    space = Space(Domain.unit(1), 4)
    M = ChannelPerceptron(space, space, space, nn.GELU(), dropout=0.5)
    u = torch.randn(2, 4, 50)
    assert not torch.equal(M(u), M(u))
    M.eval()
    assert torch.equal(M(u), M(u))
