"""An operator on a device computes there, with the numbers of the processor; so does its gradient."""

import pytest
import torch

from operators.test_exam import OPERATORS
from references.some_gpu import some_gpu
from vcycle.testing import Candidate


@pytest.mark.parametrize("candidate", OPERATORS, ids=lambda candidate: candidate.name)
def test_values_and_gradients(candidate: Candidate) -> None:
    W = candidate.operator().double()
    u = torch.randn(2, W.source.channels, *candidate.shape, dtype=torch.float64).requires_grad_()
    image = W(u)
    (expected,) = torch.autograd.grad(image.square().sum(), u)
    with some_gpu() as gpu:
        V = candidate.operator().double().to(gpu)
        v = u.detach().to(gpu).requires_grad_()
        found = V(v)
        assert found.device == gpu
        torch.testing.assert_close(found.detach().cpu(), image.detach(), rtol=1e-9, atol=1e-10)
        (gradient,) = torch.autograd.grad(found.square().sum(), v)
        assert gradient.device == gpu
        torch.testing.assert_close(gradient.cpu(), expected, rtol=1e-8, atol=1e-8)
