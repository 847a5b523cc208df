import pytest
import torch

from vcycle.operators import Affine


def samples() -> torch.Tensor:
    return 3 + 2 * torch.randn(40, 2, 5, 6, dtype=torch.float64)


@pytest.mark.parametrize("pointwise", [False, True])
def test_fitted_samples_have_mean_zero_and_unit_deviation(pointwise):
    x = samples()
    y = Affine.fit(x, pointwise, eps=0.0)(x)
    dims = [0] if pointwise else [0, 2, 3]
    torch.testing.assert_close(y.mean(dims), torch.zeros_like(y.mean(dims)), rtol=0, atol=1e-13)
    torch.testing.assert_close(y.std(dims), torch.ones_like(y.std(dims)), rtol=0, atol=1e-13)


def test_eps_is_added_to_the_deviation():
    x = samples()
    encode = Affine.fit(x, pointwise=True, eps=0.1)
    torch.testing.assert_close(encode(x), (x - x.mean(0)) / (x.std(0) + 0.1), rtol=0, atol=1e-13)


def test_a_constant_point_stays_finite():
    x = samples()
    x[:, :, 0] = 0.0
    assert torch.isfinite(Affine.fit(x, pointwise=True)(x)).all()


@pytest.mark.parametrize("pointwise", [False, True])
def test_inverse(pointwise):
    x = samples()
    encode = Affine.fit(x, pointwise)
    torch.testing.assert_close(encode.inverse()(encode(x)), x, rtol=0, atol=1e-12)
    torch.testing.assert_close(encode.inverse().inverse()(x), encode(x), rtol=0, atol=1e-12)


def test_a_state_brings_its_shapes():
    x = samples()
    fitted, empty = Affine.fit(x, pointwise=True), Affine.identity(2, 2).double()
    assert torch.equal(empty(x), x)
    empty.load_state_dict(fitted.state_dict())
    assert torch.equal(empty(x), fitted(x))


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="two samples or more"):
        Affine.fit(samples()[:1])
    with pytest.raises(ValueError, match="eps > 0"):
        Affine.fit(torch.ones(3, 1, 4), eps=0.0)
    with pytest.raises(ValueError, match=r"fitted pointwise on a grid of shape \(5, 6\)"):
        Affine.fit(samples(), pointwise=True)(torch.zeros(1, 2, 10, 12, dtype=torch.float64))


@pytest.mark.parametrize("scale", [1e200, float("inf"), 1e-200])
def test_sizes_beyond_single_precision_are_refused(scale):
    size = torch.tensor([[[1.0]], [[scale]]], dtype=torch.float64)
    with pytest.raises(ValueError, match="channel 1 of the fields to scale has a size beyond single precision"):
        Affine(torch.zeros_like(size), size)


def test_a_channel_of_zeros_has_no_size():
    with pytest.raises(ValueError, match="channel 0 of the fields to scale is 0 everywhere, and no factor"):
        Affine(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))
