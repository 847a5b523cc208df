import pytest
import torch

from vcycle.networks.deformation import Deformation


def points() -> torch.Tensor:
    return torch.rand(2, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("code", [True, False])
def test_it_starts_from_the_identity(code):
    """x + x M(F(x)) with a last layer of zeros; and the origin never moves."""
    deformation, x = Deformation(8, code).double(), points()
    shape = torch.randn(2, 42, dtype=torch.float64) if code else None
    assert not torch.allclose(deformation(x, shape), x)
    assert torch.equal(deformation(torch.zeros_like(x), shape), torch.zeros_like(x))
    torch.nn.init.zeros_(deformation.layers[-1].weight)
    torch.nn.init.zeros_(deformation.layers[-1].bias)
    assert torch.equal(deformation(x, shape), x)


def test_the_code_decides_the_shape_of_a_sample_alone():
    deformation, x = Deformation(8, True).double(), points()
    codes = torch.randn(2, 42, dtype=torch.float64)
    out = deformation(x, codes)
    torch.testing.assert_close(deformation(x[1:], codes[1:]), out[1:], rtol=0, atol=1e-14)
    assert not torch.allclose(deformation(x, codes.flip(0)), out)


def test_every_parameter_matters():
    for code in (None, torch.randn(2, 42, dtype=torch.float64)):
        deformation = Deformation(8, code is not None).double()
        deformation(points(), code).square().sum().backward()
        assert all(p.grad is not None and float(p.grad.abs().max()) > 0 for p in deformation.parameters())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a multiple of 4, got 6"):
        Deformation(6, False)
    with pytest.raises(ValueError, match="got no code of the shape"):
        Deformation(8, True)(points().float(), None)
    with pytest.raises(ValueError, match="got a code of the shape"):
        Deformation(8, False)(points().float(), torch.zeros(2, 42))
