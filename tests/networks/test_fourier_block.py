import pytest
import torch
from torch import nn

from vcycle.networks.fourier_block import BlockOptions, FourierBlock
from vcycle.networks.norms import normalisation
from vcycle.spaces import Domain, Space

SPACE = Space(Domain.unit(2), 4)


def parts(block: FourierBlock) -> tuple:
    return block.neurons.W, block.neurons.B, block.mlp, block.gate


@pytest.mark.parametrize("last", [False, True])
def test_activation_after(last):
    block = FourierBlock(SPACE, BlockOptions((4, 4), activation="tanh", norm="group"), last)
    (K, B, M, G), N = parts(block), [block.neurons.norm, block.end[0]]
    v = torch.randn(2, 4, 6, 6)
    sigma = nn.Identity() if last else nn.Tanh()
    w = sigma(N[0](K(v)) + B(v))
    assert torch.equal(block(v), sigma(N[1](M(w) + G(v))))


@pytest.mark.parametrize("last", [False, True])
def test_activation_before(last):
    block = FourierBlock(SPACE, BlockOptions((4, 4), activation="tanh", norm="group", preactivation=True), last)
    (K, B, M, G), N = parts(block), [block.start[1], block.middle]
    v = torch.randn(2, 4, 6, 6)
    activated = N[0](torch.tanh(v))
    w = N[1]((nn.Identity() if last else nn.Tanh())(K(activated) + B(activated)))
    assert torch.equal(block(v), M(w) + G(activated))


def test_normalisations():
    u = 3 + torch.randn(5, 4, 8, 8)
    instance = normalisation("instance", SPACE)(u)
    torch.testing.assert_close(instance.mean((2, 3)), torch.zeros(5, 4), rtol=0, atol=1e-5)
    group = normalisation("group", SPACE, groups=2)(u)
    torch.testing.assert_close(group.unflatten(1, (2, 2)).mean((2, 3, 4)), torch.zeros(5, 2), rtol=0, atol=1e-5)
    batch = normalisation("batch", SPACE)(u)
    torch.testing.assert_close(batch.mean((0, 2, 3)), torch.zeros(4), rtol=0, atol=1e-5)
    assert normalisation(None, SPACE) is None
