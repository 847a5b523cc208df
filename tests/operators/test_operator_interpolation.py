import pytest
import torch

from references.cases import BOUNDARIES
from references.coarsening import SHAPES, coarsened


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("axes", [(0,), None])
def test_the_restriction_is_the_transpose(shape, boundary, axes):
    _, P, _ = coarsened(shape, boundary, axes=axes)
    v = torch.randn(2, 3, *P.parity.coarse, dtype=torch.float64)
    f = torch.randn(2, 3, *shape, dtype=torch.float64)
    torch.testing.assert_close((P(v) * f).sum(), (v * P.transpose()(f)).sum(), rtol=1e-11, atol=1e-11)


def test_coarse_values_stay():
    _, P, _ = coarsened((8, 10), "dirichlet")
    v = torch.randn(2, 1, 4, 5, dtype=torch.float64)
    assert torch.equal(P(v)[..., 1::2, 1::2], v)


def test_gradients_go_through():
    _, P, _ = coarsened((8, 10), "mixed", samples=1)
    R = P.transpose()
    v = torch.randn(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u: R(P(u)), v)
