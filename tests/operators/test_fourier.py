import math

import pytest
import torch

from vcycle.operators import FACTORIZATIONS, Fourier, count_parameters
from vcycle.spaces import Domain, Space, channels_last, lies_channels_last


def fft_reference(operator: Fourier, u: torch.Tensor) -> torch.Tensor:
    """The same operator with torch's FFT, for grids that carry all modes."""
    axes = tuple(range(-len(operator.modes), 0))
    weight = torch.view_as_complex(operator.weight.detach())
    v = torch.fft.rfftn(u, dim=axes, norm="forward")
    for axis in axes[:-1]:
        v = torch.fft.fftshift(v, dim=axis)
    kept = tuple(
        slice(n // 2 - m // 2, n // 2 - m // 2 + m) for n, m in zip(u.shape[2:-1], operator.modes[:-1], strict=True)
    )
    kept = (slice(None), slice(None), *kept, slice(operator.modes[-1] // 2 + 1))
    out = torch.zeros(u.shape[0], weight.shape[1], *v.shape[2:], dtype=v.dtype)
    out[kept] = torch.einsum("bi...,io...->bo...", v[kept], weight)
    for axis in axes[:-1]:
        out = torch.fft.ifftshift(out, dim=axis)
    return torch.fft.irfftn(out, s=u.shape[2:], dim=axes, norm="forward")


@pytest.mark.parametrize(
    ("modes", "shape"),
    [((6,), (16,)), ((5,), (9,)), ((16,), (16,)), ((4, 6), (8, 12)), ((5, 7), (9, 7)), ((8, 8), (8, 8)),
     ((4, 3, 6), (6, 5, 8)), ((2, 4, 4), (4, 4, 4))],
)  # fmt: skip
@pytest.mark.parametrize("lie", [torch.Tensor.contiguous, channels_last], ids=["first", "last"])
def test_it_is_the_truncated_fft(modes, shape, lie):
    domain = Domain.unit(len(shape), "periodic")
    operator = Fourier(Space(domain, 2), Space(domain, 3), modes).double()
    u = lie(torch.randn(2, 2, *shape, dtype=torch.float64))
    v = operator(u).detach()
    torch.testing.assert_close(v, fft_reference(operator, u), rtol=0, atol=1e-14)
    assert lies_channels_last(v) == lies_channels_last(u)


def test_it_multiplies_a_wave_by_a_complex_number():
    """exp(ikx) times a + ib: cos becomes a cos - b sin."""
    line = Space(Domain.unit(1, "periodic"), 1, "vertex")
    operator = Fourier(line, line, (8,)).double()
    x = 2 * math.pi * torch.arange(12, dtype=torch.float64) / 12
    a, b = operator.weight.detach()[0, 0, 3]
    expected = a * (3 * x).cos() - b * (3 * x).sin()
    torch.testing.assert_close(operator((3 * x).cos()[None, None])[0, 0].detach(), expected, rtol=0, atol=1e-14)


def test_one_layer_gives_the_same_function_on_n_and_2n_points():
    plane = Space(Domain([1.0, 3.0], "periodic"), 2, "vertex")
    operator = Fourier(plane, plane, (6, 8)).double()
    coarse = torch.randn(1, 2, 10, 12, dtype=torch.float64)
    # Band-limited: no frequency at or beyond half the coarse grid's.
    v = torch.fft.rfft2(coarse, norm="forward")
    v[:, :, 5] = 0
    v[..., 6] = 0
    coarse = torch.fft.irfft2(v, s=(10, 12), norm="forward")
    wide = torch.zeros(1, 2, 20, 13, dtype=v.dtype)
    wide[:, :, :5, :7], wide[:, :, -4:, :7] = v[:, :, :5], v[:, :, -4:]
    fine = torch.fft.irfft2(wide, s=(20, 24), norm="forward")
    torch.testing.assert_close(fine[..., ::2, ::2], coarse, rtol=0, atol=1e-14)
    torch.testing.assert_close(operator(fine)[..., ::2, ::2], operator(coarse), rtol=0, atol=1e-14)


def test_a_coarse_grid_uses_the_central_part_of_the_weight():
    plane = Space(Domain.unit(2, "periodic"), 2)
    large, small = Fourier(plane, plane, (9, 12)).double(), Fourier(plane, plane, (6, 8)).double()
    small.weight.data = large.weight.data[:, :, 1:7, :5]  # frequencies -3, ..., 2 of -4, ..., 4
    u = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(large(u), small(u), rtol=0, atol=0)


def test_the_initial_operator_keeps_the_size_of_white_noise():
    """Weights are complex normal with variance 2 / (in + out), the published choice."""
    torch.manual_seed(0)
    line = Space(Domain.unit(1, "periodic"), 50)
    weight = torch.view_as_complex(Fourier(line, line, (64,)).weight.detach())
    assert float(weight.abs().square().mean()) == pytest.approx(2 / 100, rel=0.02)


@pytest.mark.parametrize("form", ["tucker", "tt"])
def test_a_low_rank_weight_of_full_rank_is_the_dense_one(form):
    plane = Space(Domain.unit(2, "periodic"), 3)
    full, low = Fourier(plane, plane, (4, 6)).double(), Fourier(plane, plane, (4, 6), factorization=form).double()
    ranks = (144,) * low.weight.rank_count((3, 3, 4, 4))
    low.weight = FACTORIZATIONS[form].from_dense(full.weight, ranks, pairs=True)
    for n in (10, 4):  # all modes, and those of a grid with fewer
        u = torch.randn(2, 3, n, n, dtype=torch.float64)
        torch.testing.assert_close(low(u), full(u), rtol=0, atol=1e-13)


@pytest.mark.parametrize("form", FACTORIZATIONS)
@pytest.mark.parametrize("separable", [False, True])
def test_low_rank_weights_have_their_share_of_the_parameters(form, separable):
    plane = Space(Domain.unit(2, "periodic"), 16)
    dense = count_parameters(Fourier(plane, plane, (12, 12), separable=separable))
    low = count_parameters(Fourier(plane, plane, (12, 12), separable=separable, factorization=form, rank=0.2))
    assert 0.15 * dense < low <= 0.2 * dense


def test_errors_say_what_to_do():
    line = Domain.unit(1)
    with pytest.raises(ValueError, match="one number per axis"):
        Fourier(Space(line), Space(line), (4, 4))
    with pytest.raises(ValueError, match="set separable=False"):
        Fourier(Space(line, 1), Space(line, 2), (4,), separable=True)
