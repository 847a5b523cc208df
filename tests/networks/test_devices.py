"""A network on a device computes there, with the numbers of the processor; so do its gradients."""

import copy

import pytest
import torch

from networks.test_networks import TOYS
from references.some_gpu import some_gpu
from references.there import Copies
from vcycle.networks import build
from vcycle.spaces import Domain

FEW = 12  # coordinates and points, which are made for every input


@pytest.mark.parametrize(("name", "dimension"), [(name, d) for name, toy in TOYS.items() for d in toy.dimensions])
def test_values_and_gradients(name: str, dimension: int) -> None:
    toy = TOYS[name]
    network = build({"name": name, **toy.options}, 2, 1, Domain.unit(dimension, toy.boundaries[0])).double().eval()
    x = torch.randn(2, 2, *((8,) if dimension == 3 else (16,)) * dimension, dtype=torch.float64)
    expected = network(x)
    expected.square().sum().backward()
    with some_gpu() as gpu:
        there = copy.deepcopy(network).to(gpu)
        there.zero_grad()
        there(x.to(gpu))
        with Copies() as copies:
            found = there(given := x.to(gpu))
        assert found.device == given.device == gpu
        assert copies.count <= 1 + FEW, "constants are carried to the device once"
        torch.testing.assert_close(found.detach().cpu(), expected.detach(), rtol=1e-9, atol=1e-12)
        found.square().sum().backward()
        for one, other in zip(there.parameters(), network.parameters(), strict=True):
            assert (one.grad is None) == (other.grad is None)
            if one.grad is not None:
                assert one.grad.device == gpu
                torch.testing.assert_close(one.grad.cpu(), other.grad, rtol=1e-8, atol=1e-10)
