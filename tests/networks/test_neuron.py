import torch
from torch import nn

from vcycle.networks import Neurons
from vcycle.operators import Pointwise, Stencil
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(1), 2)


def test_the_sentence_of_the_package():
    """sigma(W u + B u)."""
    W, B = Stencil(SPACE, SPACE), Pointwise(SPACE, SPACE, bias=True)
    u = torch.randn(3, 2, 7)
    assert torch.equal(Neurons(W, B, nn.Tanh())(u), torch.tanh(W(u) + B(u)))
    assert torch.equal(Neurons(W, None, nn.ReLU())(u), torch.relu(W(u)))


def test_a_normalisation_acts_on_the_linear_part():
    W, B, N = Stencil(SPACE, SPACE), Pointwise(SPACE, SPACE), nn.GroupNorm(1, 2)
    u = torch.randn(3, 2, 7)
    assert torch.equal(Neurons(W, B, nn.Tanh(), norm=N)(u), torch.tanh(N(W(u)) + B(u)))
