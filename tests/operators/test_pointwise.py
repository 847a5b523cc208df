import pytest
import torch

from vcycle.operators import Pointwise
from vcycle.spaces import Domain, Space, channels_last, lies_channels_last


@pytest.mark.parametrize("shape", [(4,), (3, 5), (6, 4, 4), (2**13,), (96, 64), (85, 85), (20, 18, 20)])
@pytest.mark.parametrize("lie", [torch.Tensor.contiguous, channels_last], ids=["first", "last"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_a_matrix_acts_on_the_channels_of_every_point(shape, lie, dtype):
    domain = Domain.unit(len(shape))
    operator = Pointwise(Space(domain, 3), Space(domain, 2), bias=True).to(dtype)
    u = lie(torch.randn(2, 3, *shape, dtype=dtype))
    v = operator(u)
    expected = torch.einsum("oi,bi...->bo...", operator.weight, u) + operator.bias.view(-1, *(1,) * len(shape))
    torch.testing.assert_close(v, expected, rtol=0, atol=20 * torch.finfo(dtype).eps)
    assert lies_channels_last(v) == lies_channels_last(u)


def test_a_bias_is_confessed():
    space = Space(Domain.unit(1))
    assert "affine" in Pointwise(space, space, bias=True).tags
    assert "affine" not in Pointwise(space, space).tags
