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


@pytest.mark.parametrize("shape", [(3, 5), (96, 64), (20, 18, 20)])
def test_first_and_second_derivatives_are_those_of_the_sum_over_channels(shape):
    operator = Pointwise(*(Space(Domain.unit(len(shape)), channels) for channels in (3, 2)), bias=True)
    u = channels_last(torch.randn(2, 3, *shape)).requires_grad_()

    def derivatives(v):
        given = (u, operator.weight, operator.bias)
        first = torch.autograd.grad(v.sin().sum(), given, create_graph=True)
        second = torch.autograd.grad(first[0].square().sum() + first[1].square().sum(), given)
        return [*first, *second]

    plain = torch.einsum("oi,bi...->bo...", operator.weight, u) + operator.bias.view(-1, *(1,) * len(shape))
    for found, expected in zip(derivatives(operator(u)), derivatives(plain), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.detach().abs().max()))


def test_gradients_in_mixed_precision_are_near_those_in_single():
    operator = Pointwise(*(Space(Domain.unit(2), channels) for channels in (8, 4)), bias=True)
    u = channels_last(torch.randn(2, 8, 96, 64)).requires_grad_()
    found = []
    for mixed in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = operator(u).square().mean()
        found.append(torch.autograd.grad(loss, (u, operator.weight, operator.bias)))
    for single, mixed in zip(*found, strict=True):
        assert mixed.dtype == single.dtype
        assert (mixed - single).norm() < 0.02 * single.norm()


def test_a_bias_is_confessed():
    space = Space(Domain.unit(1))
    assert "affine" in Pointwise(space, space, bias=True).tags
    assert "affine" not in Pointwise(space, space).tags
