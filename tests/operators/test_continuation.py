import itertools

import pytest
import torch

from vcycle.operators.continuation import continued
from vcycle.spaces import pad

KINDS = ("zeros", "reflect", "replicate")
PAIRS = [("circular", "circular"), *itertools.product(KINDS, KINDS)]


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("low_axis", PAIRS)
@pytest.mark.parametrize("high_axis", [("circular", "circular"), ("zeros", "zeros"), ("replicate", "reflect")])
def test_it_is_pad_and_so_is_its_derivative(low_axis, high_axis, width):
    faces = (low_axis, high_axis)
    u = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    ours, reference = continued(u, width, faces), pad(u, width, faces)
    assert torch.equal(ours, reference)
    g = torch.randn_like(reference)
    (derivative,) = torch.autograd.grad(ours, u, g)
    (expected,) = torch.autograd.grad(reference, u, g)
    torch.testing.assert_close(derivative, expected, rtol=0, atol=1e-14)


def test_it_can_be_differentiated_twice():
    faces = (("circular", "circular"), ("zeros", "replicate"))
    u = torch.randn(1, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda u: continued(u, 1, faces).square(), u)


def test_channels_last_memory_is_kept():
    u = torch.randn(2, 3, 6, 6).to(memory_format=torch.channels_last)
    out = continued(u, 1, (("circular", "circular"),) * 2)
    assert out.is_contiguous(memory_format=torch.channels_last)
