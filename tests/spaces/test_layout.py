import pytest
import torch

from vcycle.spaces import channels_last, lies_channels_last, suits_products


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4, 5)])
def test_the_layout_is_no_matter_of_values(shape):
    u = torch.randn(2, 3, *shape)
    v = channels_last(u)
    assert torch.equal(u, v) and lies_channels_last(v) and not lies_channels_last(u)
    assert channels_last(v).data_ptr() == v.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4, 5)])
def test_channels_lie_last_in_single_precision_from_two_dimensions_on(shape, dtype):
    u = torch.randn(2, 3, *shape).to(dtype)
    v = suits_products(u)
    assert torch.equal(u, v)
    assert lies_channels_last(v) == (len(shape) > 1 and dtype != torch.float64)
