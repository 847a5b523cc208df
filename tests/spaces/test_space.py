"""The inner product of a space is the one behind its norm."""

import pytest
import torch

from vcycle.spaces import L2, Domain, Space

DOMAIN = Domain([1.0, 2.0], ["periodic", "dirichlet"])


def test_inner_product_and_norm_agree():
    u = torch.randn(3, 2, 4, 5, dtype=torch.float64)
    for placement in ("cell", "vertex"):
        square = Space(DOMAIN, 2, placement).inner(u, u)
        torch.testing.assert_close(square.sqrt(), L2(DOMAIN, placement)(u))


def test_inner_product_keeps_precision_and_device():
    u = torch.ones(1, 1, 4, 5)
    inner = Space(DOMAIN).inner(u, u)
    assert inner.dtype == torch.float32 and inner.item() == pytest.approx(2.0)


def test_spaces_are_equal_by_value():
    assert Space(DOMAIN, 2) == Space(Domain(**DOMAIN.to_dict()), 2) != Space(DOMAIN, 3)


@pytest.mark.parametrize("channels", [0, -3])
def test_a_space_has_a_channel(channels):
    with pytest.raises(ValueError, match=f"1 channel or more, got {channels}"):
        Space(DOMAIN, channels)
