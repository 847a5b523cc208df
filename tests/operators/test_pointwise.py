import torch

from vcycle.operators import Pointwise
from vcycle.spaces import Domain, Space


def test_a_matrix_acts_on_the_channels_of_every_point():
    for dimension in (1, 2, 3):
        domain = Domain.unit(dimension)
        operator = Pointwise(Space(domain, 3), Space(domain, 2), bias=True).double()
        u = torch.randn(2, 3, *(4,) * dimension, dtype=torch.float64)
        expected = torch.einsum("oi,bi...->bo...", operator.weight, u) + operator.bias.view(-1, *(1,) * dimension)
        torch.testing.assert_close(operator(u), expected, rtol=0, atol=1e-14)


def test_a_bias_is_confessed():
    space = Space(Domain.unit(1))
    assert "affine" in Pointwise(space, space, bias=True).tags
    assert "affine" not in Pointwise(space, space).tags
