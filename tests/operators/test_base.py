import pytest
import torch

from vcycle.operators import Adjoint, Composition, Identity, Pointwise, Stencil, Sum, count_parameters
from vcycle.spaces import Domain, Space

DOMAIN = Domain.unit(1, "periodic")
ONE, TWO = Space(DOMAIN, 1), Space(DOMAIN, 2)


def test_the_algebra_is_closed():
    W = Stencil(ONE, TWO)
    assert isinstance(W + W, Sum)
    assert isinstance(W.adjoint() @ W, Composition)
    assert (W.source, W.target) == ((2 * W).source, (-W).target)


def test_operators_that_do_not_fit_are_refused_with_both_arrows():
    with pytest.raises(ValueError, match="cannot add Stencil: 1 channels"):
        Stencil(ONE, TWO) + Stencil(TWO, ONE)
    with pytest.raises(ValueError, match="the spaces in the middle differ"):
        Stencil(ONE, TWO) @ Stencil(ONE, TWO)


def test_tags_follow_the_algebra():
    identity = Identity(ONE)
    assert "positive" in (2 * identity).tags
    assert "positive" not in (-identity).tags
    assert "self_adjoint" in (-identity).tags
    assert "self_adjoint" not in (identity @ identity).tags
    assert "translation_equivariant" in (Stencil(ONE, ONE) @ identity).tags


def test_an_adjoint_shares_the_parameters_and_passes_gradients_to_them():
    W = Stencil(ONE, TWO).double()
    v = torch.randn(1, 2, 5, dtype=torch.float64)
    W.adjoint()(v).square().sum().backward()
    assert W.weight.grad is not None
    assert float(W.weight.grad.abs().min()) > 0


def test_an_adjoint_works_without_gradients_switched_on():
    W, v = Stencil(ONE, TWO), torch.randn(1, 2, 5)
    with torch.no_grad():
        assert torch.equal(W.adjoint()(v), Adjoint(W)(v))


def test_parameters_are_counted_as_real_numbers():
    assert count_parameters(Pointwise(TWO, TWO, bias=True)) == 6
    holder = torch.nn.Module()
    holder.weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    assert count_parameters(holder) == 6
