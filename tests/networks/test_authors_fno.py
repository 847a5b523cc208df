"""neuraloperator's options beyond the plain FNO, each against its own formula."""

import math
from typing import Any

import pytest
import torch

from vcycle.networks import from_authors
from vcycle.networks.authors_spectral import Resampled

SHAPE = (3, 2, 5, 4)  # of a weight: in, out, and modes of a 2-D convolution
CONVOLUTION = {"in_channels": 3, "out_channels": 2, "n_modes": [5, 6]}
NETWORK = {"n_modes": [4, 6], "in_channels": 1, "out_channels": 1, "hidden_channels": 4, "n_layers": 2}


def random(*shape: int, complex_numbers: bool = True) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.complex128 if complex_numbers else torch.float64)


def load(cls: str, kwargs: dict[str, Any], state: dict[str, torch.Tensor]) -> torch.nn.Module:
    return from_authors({"cls": cls, "kwargs": kwargs}, state)


def convolution(weight: torch.Tensor, **changes: Any) -> torch.nn.Module:
    kwargs = CONVOLUTION | {"bias": False} | changes
    return load("SpectralConv", kwargs, {"weight.tensor": weight})


def factors(form: str, shape: tuple[int, ...]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """A random state under the names that tltorch gives, and the tensor it stands for."""
    n, r = "abcd"[: len(shape)], "wxyz"[: len(shape)]
    if form == "Tucker":
        ranks = (2, 3, 2, 3)[: len(shape)]
        core, matrices = random(*ranks), [random(size, rank) for size, rank in zip(shape, ranks, strict=True)]
        terms = [r, *map("".join, zip(n, r, strict=True))]
        parameters = {"core": core}
    elif form == "CP":
        core, matrices = random(4), [random(size, 4) for size in shape]
        terms = ["w", *(letter + "w" for letter in n)]
        parameters = {"weights": core}
    else:
        ranks = [1, *(3, 4, 2)[: len(shape) - 1], 1]
        core = torch.ones(1, 1, dtype=torch.complex128)  # closes the train
        matrices = [random(left, size, right) for left, size, right in zip(ranks, shape, ranks[1:], strict=False)]
        letters = "vwxyz"[: len(ranks)]
        terms = [letters[-1] + letters[0], *map("".join, zip(letters, n, letters[1:], strict=False))]
        parameters = {}
    parameters |= {f"factors.factor_{k}": matrix for k, matrix in enumerate(matrices)}
    return parameters, torch.einsum(f"{','.join(terms)}->{n}", core, *matrices)


@pytest.mark.parametrize("form", ["Tucker", "CP", "TT"])
@pytest.mark.parametrize("stored", ["", "Complex"])
@pytest.mark.parametrize("separable", [False, True])
def test_factorised_weights_stand_for_their_tensor(form, stored, separable):
    parameters, tensor = factors(form, (3, 5, 4) if separable else SHAPE)
    if stored:  # as pairs of real numbers
        parameters = {key: torch.view_as_real(value) for key, value in parameters.items()}
    state = {f"weight.{key}": value for key, value in parameters.items()}
    options = {"separable": separable, "bias": False} | ({"out_channels": 3} if separable else {})
    low = load("SpectralConv", CONVOLUTION | options | {"factorization": stored + form, "rank": 0.3}, state)
    dense = convolution(tensor, **options)
    for grid in ((8, 9), (4, 3)):
        u = random(2, 3, *grid, complex_numbers=False)
        torch.testing.assert_close(low(u), dense(u), rtol=0, atol=1e-12)
    missing = dict(list(state.items())[1:])
    with pytest.raises(ValueError, match="the state has no 'weight"):
        load("SpectralConv", CONVOLUTION | options | {"factorization": stored + form}, missing)


def network_state(weight: dict[str, torch.Tensor], channels: int = 4, layers: int = 2) -> dict[str, torch.Tensor]:
    """Random parameters of a published FNO of these layers, with given spectral weights in each."""

    def real(*shape: int) -> torch.Tensor:
        return random(*shape, complex_numbers=False)

    state = {"lifting.fcs.0.weight": real(8, 3, 1), "lifting.fcs.0.bias": real(8)}
    state |= {"lifting.fcs.1.weight": real(channels, 8, 1), "lifting.fcs.1.bias": real(channels)}
    state |= {"projection.fcs.0.weight": real(8, channels, 1), "projection.fcs.0.bias": real(8)}
    state |= {"projection.fcs.1.weight": real(1, 8, 1), "projection.fcs.1.bias": real(1)}
    for layer in range(layers):
        state |= {f"fno_blocks.convs.{layer}.weight.{key}": value for key, value in weight.items()}
        state[f"fno_blocks.convs.{layer}.bias"] = real(channels, 1, 1)
        state[f"fno_blocks.fno_skips.{layer}.conv.weight"] = real(channels, channels, 1)
        mlp, half = f"fno_blocks.channel_mlp.{layer}.fcs", channels // 2
        state |= {f"{mlp}.0.weight": real(half, channels, 1), f"{mlp}.0.bias": real(half)}
        state |= {f"{mlp}.1.weight": real(channels, half, 1), f"{mlp}.1.bias": real(channels)}
        state[f"fno_blocks.channel_mlp_skips.{layer}.weight"] = real(1, channels, 1, 1)
    return state


def test_tfno_is_an_fno_with_tucker_weights():
    parameters, tensor = factors("Tucker", (4, 4, 4, 4))
    state = network_state(parameters)
    low = load("TFNO", NETWORK | {"rank": 0.1, "implementation": "factorized"}, state)
    dense = {key: value for key, value in state.items() if ".convs." not in key or key.endswith("bias")}
    dense |= {f"fno_blocks.convs.{layer}.weight.tensor": tensor for layer in range(2)}
    x = random(2, 1, 8, 9, complex_numbers=False)
    torch.testing.assert_close(low(x), load("FNO", NETWORK, dense)(x), rtol=1e-12, atol=0)
    half = load("TFNO", NETWORK | {"fno_block_precision": "half"}, state)
    assert torch.equal(half(x), low(x))


def test_of_more_modes_than_are_kept_the_central_ones_count():
    weight = random(3, 2, 9, 7)  # n_modes = [5, 6] keeps 5 of 9, and on the last axis 4 of 7
    u = random(2, 3, 12, 16, complex_numbers=False)
    expected = convolution(weight[:, :, 2:7, :4].clone())(u)
    torch.testing.assert_close(convolution(weight, max_n_modes=[9, 7])(u), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("grid", "scaling", "target"),
    [((8, 8), 2, (16, 16)), ((9, 7), [2, 0.5], (18, 4)), ((12, 10), 0.5, (6, 5)), ((5, 6), [1, 3], (5, 18))],
)
@pytest.mark.parametrize("hermitian", [True, False])
def test_other_grids_cut_or_fill_the_spectrum_at_its_end(grid, scaling, target, hermitian):
    weight = random(*SHAPE)
    u = random(2, 3, *grid, complex_numbers=False)
    v = torch.fft.rfft2(u, norm="forward")
    v_out = torch.zeros(2, 2, grid[0], grid[1] // 2 + 1, dtype=torch.complex128)
    rows, columns = min(5, grid[0]), min(4, v.shape[-1])
    k = torch.arange(rows) - rows // 2
    products = torch.einsum("bixy,ioxy->boxy", v[:, :, k, :columns], weight[:, :, :rows, :columns])
    v_out[:, :, k, :columns] = products
    v_out = torch.fft.ifft(v_out, n=target[0], dim=2, norm="forward")
    if hermitian and target[1] % 2 == 0:
        v_out[..., -1] = v_out[..., -1].real.clone()
    expected = torch.fft.irfft(v_out, n=target[1], norm="forward")
    options = {"resolution_scaling_factor": scaling, "enforce_hermitian_symmetry": hermitian}
    torch.testing.assert_close(convolution(weight, **options)(u), expected, rtol=0, atol=1e-12)


def test_skips_follow_to_the_other_grid():
    x = torch.linspace(0, 1, 5, dtype=torch.float64)
    line = Resampled(torch.nn.Identity(), (1.8,))
    torch.testing.assert_close(line(x[None, None]), torch.linspace(0, 1, 9, dtype=torch.float64)[None, None])
    assert torch.equal(Resampled(torch.nn.Identity(), (1.0,))(x[None, None]), x[None, None])
    wave = (2 * math.pi * torch.arange(6, dtype=torch.float64) / 6).cos()
    fine = (2 * math.pi * torch.arange(9, dtype=torch.float64) / 9).cos()
    cube, target = torch.einsum("x,y,z->xyz", wave, wave, wave), torch.einsum("x,y,z->xyz", fine, fine, fine)
    space = Resampled(torch.nn.Identity(), (1.5, 1.5, 1.5))
    torch.testing.assert_close(space(cube[None, None])[0, 0], target, rtol=0, atol=1e-14)


@pytest.mark.parametrize("factor", [2, 0.5, [2, 0.5], [[1, 2], [1.5, 1]]])
def test_networks_change_the_grid_layer_by_layer(factor):
    network = load(
        "FNO", NETWORK | {"resolution_scaling_factor": factor}, network_state({"tensor": random(4, 4, 4, 4)})
    )
    expected = {2: (32, 32), 0.5: (2, 2)}.get(factor, (8, 8)) if isinstance(factor, int | float) else None
    shape = tuple(network(random(1, 1, 8, 8, complex_numbers=False)).shape[2:])
    assert shape == (expected or ((12, 16) if isinstance(factor[0], list) else (8, 8)))


def pair(u: torch.Tensor) -> torch.Tensor:
    return torch.cat([u.real, u.imag], 1)


def test_complex_waves_are_multiplied_one_by_one():
    weight, n = random(1, 1, 4), 9
    options = {"in_channels": 1, "out_channels": 1, "n_modes": [4], "complex_data": True}
    operator = convolution(weight, **options)
    x = 2j * math.pi * torch.arange(n, dtype=torch.float64) / n
    for k in range(n):
        wave = (k * x).exp()[None, None]
        expected = weight[0, 0, k] * wave if k < 4 else 0 * wave
        torch.testing.assert_close(operator(pair(wave)), pair(expected), rtol=0, atol=1e-13)


def test_complex_planes_keep_the_frequencies_that_the_release_keeps():
    weight, grid = random(3, 2, 5, 6), (8, 9)
    u = random(2, 3, *grid)
    v, out = torch.fft.fft2(u, norm="forward"), torch.zeros(2, 2, *grid, dtype=torch.complex128)
    k = torch.arange(5) - 2
    last = torch.arange(6)
    kept = v[:, :, k][..., last - 9 // 2]
    out[:, :, k[:, None], last] = torch.einsum("bixy,ioxy->boxy", kept, weight)
    expected = torch.fft.ifft2(out, norm="forward")
    torch.testing.assert_close(convolution(weight, complex_data=True)(pair(u)), pair(expected), rtol=0, atol=1e-13)


def test_a_complex_network_is_made_of_pairs():
    """With imaginary parts fi = 0 and a real kernel's bias alone, real fields see the real network."""
    state = network_state({"tensor": 0 * random(4, 4, 4, 6)})
    real = load(
        "FNO", NETWORK, {key: value[..., :4] if key.endswith("tensor") else value for key, value in state.items()}
    )
    pairs = {}
    for key, value in state.items():
        if ".convs." in key:
            pairs[key] = value
            continue
        head = next(
            p
            for p in ("lifting.", "projection.", "channel_mlp.0.", "channel_mlp.1.", "skips.0.", "skips.1.")
            if p in key
        )
        pairs[key.replace(head, f"{head}fr.", 1)] = value
        pairs[key.replace(head, f"{head}fi.", 1)] = 0 * value
    network = load("FNO", NETWORK | {"complex_data": True}, pairs)
    x = random(2, 1, 8, 9, complex_numbers=False)
    image = network(torch.cat([x, 0 * x], 1))
    torch.testing.assert_close(image[:, :1], real(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"factorization": "BlockTT"}, "factorization='BlockTT' has no counterpart"),
        ({"norm": "ada_in"}, "norm='ada_in' has no counterpart"),
        ({"conv_module": "neuralop.layers.SphericalConv"}, "conv_module='neuralop.layers.SphericalConv' has no"),
        ({"max_n_modes": [4, 3]}, r"got max_n_modes=\[4, 3\] for weights of \[4, 4\] modes"),
        ({"resolution_scaling_factor": 2, "domain_padding": 0.25}, "together with complex_data or domain_padding"),
        ({"resolution_scaling_factor": 2, "complex_data": True}, "together with complex_data or domain_padding"),
        ({"resolution_scaling_factor": [2, 2, 2]}, "give one number, one per layer"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_name(changes, sentence):
    state = network_state({"tensor": random(4, 4, 4, 4)})
    load("FNO", NETWORK | {"conv_module": "<class 'neuralop.layers.spectral_convolution.SpectralConv'>"}, state)
    with pytest.raises(ValueError, match=sentence):
        load("FNO", NETWORK | changes, state)


def test_a_scaled_convolution_needs_the_norm_that_is_grid_free():
    with pytest.raises(ValueError, match="fft_norm='forward' only"):
        convolution(random(*SHAPE), resolution_scaling_factor=2, fft_norm="ortho")
