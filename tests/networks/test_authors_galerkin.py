"""The released transformers of P238, with their weights, give their numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vcycle.networks import from_authors
from vcycle.networks.authors_galerkin import (
    build_lite_transformer,
    build_row_transformer,
    build_square_transformer,
)
from vcycle.networks.authors_galerkin_attention import build_attention
from vcycle.operators import count_parameters

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "public"
FILES = sorted(VECTORS.glob("galerkin_*.npz"))
NAMES = [path.stem for path in FILES]
WITH_GRADIENTS = [path for path in FILES if not path.stem.endswith("published_dropout")]
ATTENTIONS = [path for path in WITH_GRADIENTS if path.stem.startswith("galerkin_attn")]

BURGERS = {
    "node_feats": 1,
    "pos_dim": 1,
    "n_targets": 1,
    "n_hidden": 96,
    "num_encoder_layers": 4,
    "n_head": 1,
    "dim_feedforward": 192,
    "attention_type": "fourier",
    "layer_norm": False,
    "attn_norm": True,
    "decoder_type": "ifft",
    "freq_dim": 48,
    "num_regressor_layers": 2,
    "fourier_modes": 16,
    "spacial_dim": 1,
    "spacial_fc": False,
}
DARCY = BURGERS | {
    "pos_dim": 2,
    "n_hidden": 128,
    "num_encoder_layers": 6,
    "n_head": 4,
    "dim_feedforward": 256,
    "attention_type": "galerkin",
    "norm_eps": 1e-7,
    "decoder_type": "ifft2",
    "spacial_dim": 2,
    "spacial_fc": True,
    "upsample_mode": "interp",
    "downsample_mode": "interp",
    "downscaler_size": [[77, 77], [43, 43]],
    "upscaler_size": [[77, 77], [141, 141]],
    "downscaler_activation": "relu",
    "upscaler_activation": "silu",
    "freq_dim": 32,
    "fourier_modes": 12,
    "boundary_condition": "dirichlet",
    "last_activation": True,
}


class Applied(nn.Module):
    """Multiplies by a mask, and remembers what it was given."""

    def __init__(self, mask: torch.Tensor | float = 1.0):
        super().__init__()
        self.mask = mask

    def forward(self, u):
        self.given = u
        return u * self.mask


def read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    with np.load(path) as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
        config = json.loads(str(file["config"]))
    return config, parts(arrays, "param/"), arrays


def parts(arrays: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert found.shape == expected.shape
    return float((found.detach() - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("path", WITH_GRADIENTS, ids=lambda path: path.stem)
def test_outputs_and_gradients_agree(path):
    config, state, arrays = read(path)
    inputs = {name: value.requires_grad_() for name, value in parts(arrays, "input/").items()}
    y = from_authors(config, state)(**inputs)
    assert difference(y, arrays["output"]) <= config["tol_rel"]
    gradients = torch.autograd.grad(y.square().sum(), list(inputs.values()))
    for name, gradient in zip(inputs, gradients, strict=True):
        assert difference(gradient, arrays[f"grad/input/{name}"]) <= 10 * config["tol_rel"]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_matrix_in_between_agrees(path):
    config, state, arrays = read(path)
    if "output/attn_weight" not in arrays:
        pytest.skip("of attention alone")
    network = from_authors(config, state)
    network.attention.dropout = Applied()
    network(*parts(arrays, "input/").values())
    found, expected = network.attention.dropout.given.mT, arrays["output/attn_weight"]
    if config["kwargs"]["attention_type"] == "linear":
        found = found / arrays["input/key"].shape[1]
    if "dropout_mask" in arrays:
        found = found * arrays["dropout_mask"]
    assert difference(found, expected) <= config["tol_rel"]


@pytest.mark.parametrize("path", [path for path in FILES if path not in WITH_GRADIENTS], ids=lambda path: path.stem)
def test_the_released_dropout_agrees(path):
    config, state, arrays = read(path)
    network = from_authors(config, state)
    network.attention.dropout = Applied(arrays["dropout_mask"].mT)
    assert difference(network(*parts(arrays, "input/").values()), arrays["output"]) <= config["tol_rel"]


def test_the_released_dropout_can_be_had():
    """On request half of the inner products are zeroed in evaluation, too; their mean is what it is without."""
    options = {"n_head": 2, "d_model": 8, "pos_dim": 1, "attention_type": "galerkin", "norm": True}
    torch.manual_seed(0)
    plain = build_attention("SimpleAttention", options).eval()
    noisy = build_attention("SimpleAttention", options | {"published_dropout": True}).eval()
    noisy.load_state_dict(plain.state_dict())
    u, pos = torch.randn(1, 13, 8), torch.rand(1, 13, 1)
    assert torch.equal(plain(u, u, u, pos), plain(u, u, u, pos))
    samples = torch.stack([noisy(u, u, u, pos) for _ in range(2000)]).detach()
    assert not torch.equal(samples[0], samples[1])
    deviation = samples.std(0) / 2000**0.5
    assert float(((samples.mean(0) - plain(u, u, u, pos).detach()).abs() / (deviation + 1e-7)).mean()) < 1.5


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_single_precision_agrees(path):
    config, state, arrays = read(path)
    network = from_authors(config, {key: value.float() for key, value in state.items()})
    if "dropout_mask" in arrays:
        network.attention.dropout = Applied(arrays["dropout_mask"].mT.float())
    y = network(*(value.float() for value in parts(arrays, "input/").values()))
    assert y.dtype == torch.float32
    assert difference(y, arrays["output"].float()) <= 1e-4


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_key_is_accounted_for(path):
    config, state, _ = read(path)
    for key in list(state)[::3]:
        less = {name: value for name, value in state.items() if name != key}
        with pytest.raises(ValueError, match="the state has no"):
            from_authors(config, less)
        with pytest.raises(ValueError, match="has shape"):
            from_authors(config, {**less, key: torch.zeros(3, 2, 2, 7, dtype=torch.float64)})
    for extra in ("extra", "norm_K.7.weight", "regressor.spectral_conv.0.fourier_weight.2"):
        with pytest.raises(ValueError, match="which no part of this configuration uses"):
            from_authors(config, {**state, extra: torch.zeros(1, dtype=torch.float64)})


def test_published_numbers_of_parameters():
    assert count_parameters(build_square_transformer("FourierTransformer2D", DARCY)) == 2_220_829
    assert count_parameters(build_row_transformer("SimpleTransformer", BURGERS)) == 530_305


def test_darcy_is_exactly_zero_on_the_boundary():
    small = {"n_hidden": 8, "n_head": 2, "num_encoder_layers": 1, "freq_dim": 4, "fourier_modes": 3}
    sizes = {"downscaler_size": [0.5, 0.6], "upscaler_size": [[9, 9], [17, 17]]}
    network = build_square_transformer("FourierTransformer2D", DARCY | small | sizes)
    u = network(torch.randn(2, 17, 17, 1), torch.rand(2, 16, 2), torch.rand(2, 17, 17, 2))
    ring = torch.ones(17, 17, dtype=torch.bool)
    ring[1:-1, 1:-1] = False
    assert not u[:, ring].any()
    assert u[:, ~ring].all()
    given = torch.rand(2, 17, 17, 1)
    u = network(torch.randn(2, 17, 17, 1), torch.rand(2, 16, 2), torch.rand(2, 17, 17, 2), boundary_value=given)
    assert torch.equal(u[:, ring], given[:, ring])


@pytest.mark.parametrize(
    "path", [path for path in FILES if "simpletransformer" in path.stem], ids=lambda path: path.stem
)
def test_the_older_name_of_a_class(path):
    config, state, arrays = read(path)
    network = from_authors(config | {"cls": "FourierTransformer"}, state)
    assert difference(network(**parts(arrays, "input/")), arrays["output"]) <= config["tol_rel"]


def test_every_point_a_token():
    small = {"node_feats": 3, "n_hidden": 8, "freq_dim": 4}
    network = build_lite_transformer("FourierTransformer2DLite", DARCY | small)
    pos = torch.rand(2, 576, 2)
    assert network(torch.randn(2, 576, 1), pos, torch.rand(2, 24, 24, 2)).shape == (2, 24, 24, 1)


def burgers(**changes: Any) -> dict[str, Any]:
    return {"cls": "SimpleTransformer", "kwargs": BURGERS | changes}


def darcy(**changes: Any) -> dict[str, Any]:
    return {"cls": "FourierTransformer2D", "kwargs": DARCY | changes}


def attention(**changes: Any) -> dict[str, Any]:
    return {"cls": "SimpleAttention", "kwargs": {"n_head": 2, "d_model": 8} | changes}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (attention(attention_type="cosine"), "attention_type='cosine' stops in the released code"),
        (attention(attention_type="causal"), "attention_type='causal' stops in the released code"),
        (
            attention(norm=True, norm_type="instance"),
            "norm_type='instance' stops in the released code with attention_type='fourier'",
        ),
        (attention(heads=3), "unknown option 'heads': did you mean 'n_head'"),
        (attention(n_head=3), "got 3 heads for 8 channels"),
        (burgers(attention_type="official"), "attention_type='official' does not run"),
        (burgers(decoder_type="attention"), "decoder_type='attention' does not run"),
        (burgers(feat_extract_type="gcn", num_feat_layers=2), "takes the edges of a graph"),
        (burgers(fourier_modes=None), "'fourier_modes' is required"),
        (burgers(spacial_dim=3), "has 1 or 2 axes, got spacial_dim=3"),
        (darcy(decoder_type="convolution"), "decoder_type='convolution' does not run"),
        (darcy(downsample_mode="pool"), "downsample_mode='pool' does not run"),
        (darcy(upsample_mode=None), "upsample_mode=None does not run"),
        (darcy(normalizer="unit"), "a normalizer is not part of the state"),
        (darcy(spacial_fc=False), "without spacial_fc freq_dim=32 must be n_hidden=128"),
        (darcy(num_regressor_layers=None), "'num_regressor_layers' is required"),
        (darcy(), "the state has no"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_name(config, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_authors(config, {})


def test_grids_that_do_not_fit_are_refused():
    network = build_row_transformer("SimpleTransformer", BURGERS)
    with pytest.raises(ValueError, match=r"do not carry the \(31,\) modes"):
        network(torch.randn(1, 20, 1), torch.rand(1, 20, 1))
    network = build_row_transformer("SimpleTransformer", BURGERS | {"spacial_fc": True})
    with pytest.raises(ValueError, match="give pos or grid"):
        network(torch.randn(1, 40, 1))
    square = build_square_transformer("FourierTransformer2D", DARCY)
    with pytest.raises(ValueError, match="20 points are not the square"):
        square(torch.randn(1, 40, 40, 1), torch.rand(1, 20, 2))
    with pytest.raises(ValueError, match="makes 1849 tokens, but pos has 16 points"):
        square(torch.randn(1, 40, 40, 1), torch.rand(1, 16, 2))
