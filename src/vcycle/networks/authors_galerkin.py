"""P238's released classes (scaomath/galerkin-transformer, libs/layers.py and model.py) in terms of ours."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from vcycle.networks.authors_galerkin_attention import INITIAL, KINDS, ROW, build_attention, build_blocks
from vcycle.networks.authors_galerkin_keys import published
from vcycle.networks.authors_galerkin_parts import (
    Downscaler,
    Resized,
    RowTransformer,
    SquareTransformer,
    interpolating_upscaler,
    matrix,
    transposed_upscaler,
)
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.networks.spectral_decoder import SpectralDecoder
from vcycle.spaces import Domain, Space

SQUARE = Domain.unit(2)
Options = dict[str, Any]
State = Mapping[str, Any]

NETWORK = {
    "node_feats": REQUIRED,
    "pos_dim": REQUIRED,
    "n_targets": REQUIRED,
    "n_hidden": REQUIRED,
    "num_encoder_layers": REQUIRED,
    "n_head": REQUIRED,
    "attention_type": REQUIRED,
    "decoder_type": None,
    "dim_feedforward": None,
    "layer_norm": None,
    "attn_norm": None,
    "num_regressor_layers": None,
    "regressor_activation": None,
    "freq_dim": None,
    "fourier_modes": None,
    "spacial_dim": None,
    "spacial_fc": False,
    "feat_extract_type": None,
    "num_feat_layers": 0,
    "published_dropout": False,
}
ROWS = {
    "norm_type": None,
    "batch_norm": False,
    "attn_activation": None,
    "residual_type": None,
    "spacial_residual": False,
}
SQUARES = {
    "norm_eps": None,
    "batch_norm": False,
    "normalizer": None,
    "last_activation": False,
    "downsample_mode": None,
    "downscaler_size": None,
    "downscaler_activation": None,
    "upsample_mode": None,
    "upscaler_size": None,
    "upscaler_activation": None,
    "boundary_condition": None,
}
# One configuration serves all three networks, each of which reads its part; these have no influence on the values.
UNREAD = (
    *(ROWS | SQUARES),
    *INITIAL,
    *("encoder_dropout", "ffn_dropout", "decoder_dropout", "downscaler_dropout", "upscaler_dropout"),
    *("edge_feats", "graph_activation", "raw_laplacian", "seq_len", "bulk_regression", "pred_len", "n_freq_targets"),
    *("return_attn_weight", "return_latent", "subsample_nodes", "subsample_attn", "gamma", "noise", "inverse"),
)


def simple_attention(name: str, options: Options, state: State) -> Published:
    """SimpleAttention."""
    return published(name, build_attention(name, options), state)


def simple_transformer(name: str, options: Options, state: State) -> Published:
    """SimpleTransformer, which was called FourierTransformer before October 2021."""
    return published(name, build_row_transformer(name, options), state, unused=r"freq_regressor\..*")


def fourier_transformer_2d(name: str, options: Options, state: State) -> Published:
    """FourierTransformer2D."""
    return published(name, build_square_transformer(name, options), state)


def fourier_transformer_2d_lite(name: str, options: Options, state: State) -> Published:
    """FourierTransformer2DLite: every point is a token."""
    return published(name, build_lite_transformer(name, options), state)


def build_row_transformer(name: str, options: Options) -> RowTransformer:
    o = take(name, options, NETWORK | ROWS, UNREAD)
    _refuse(name, o, "attention_type", ("fourier", "integral", "galerkin", "linear", "softmax"))
    _refuse(name, o, "decoder_type", ("pointwise", "ifft"))
    axes = o["pos_dim"] if o["spacial_dim"] is None else o["spacial_dim"]
    blocks = build_blocks(name, o, o["norm_type"], 1e-5, o["batch_norm"], o["attn_activation"], o["residual_type"])
    if o["decoder_type"] == "pointwise":
        decoder: nn.Module = _pointwise(o, ROW, axes, layers=2)
    else:
        decoder = _spectral(name, o, axes, start=o["n_hidden"], hidden=o["freq_dim"])
    return RowTransformer(
        matrix(ROW, o["node_feats"], o["n_hidden"]),
        blocks,
        decoder,
        coordinates=o["pos_dim"],
        with_grid=bool(o["spacial_fc"]),
        residual=bool(o["spacial_residual"]),
        square=o["decoder_type"] == "ifft" and axes == 2,
    )


def build_square_transformer(name: str, options: Options) -> SquareTransformer:
    o = take(name, options, NETWORK | SQUARES, UNREAD)
    _refuse(name, o, "attention_type", tuple(KINDS))
    _refuse(name, o, "decoder_type", ("pointwise", "ifft2"))
    _refuse(name, o, "spacial_dim", (2, None))
    if o["normalizer"] is not None:
        raise ValueError(f"{name}: a normalizer is not part of the state: set normalizer=None and decode the output")
    if o["num_regressor_layers"] is None:
        raise ValueError(f"{name}: the option 'num_regressor_layers' is required")
    if o["decoder_type"] == "pointwise":
        decoder: nn.Module = _pointwise(o, SQUARE, 2, layers=o["num_regressor_layers"])
    else:
        decoder = _spectral(name, o, 2, start=o["freq_dim"], hidden=4 * o["freq_dim"])
        if not o["last_activation"]:
            decoder.neurons[-1].sigma = nn.Identity()
    return SquareTransformer(
        _downscaler(name, o) if o["downscaler_size"] else matrix(SQUARE, o["node_feats"] + 2, o["n_hidden"]),
        build_blocks(name, o, None, o["norm_eps"] or 1e-5, o["batch_norm"]),
        _upscaler(name, o) if o["upscaler_size"] else nn.Identity(),
        decoder,
        coordinates=o["pos_dim"],
        appended=not o["downscaler_size"],
        with_grid=bool(o["spacial_fc"]),
        dirichlet=o["boundary_condition"] == "dirichlet",
    )


def build_lite_transformer(name: str, options: Options) -> SquareTransformer:
    o = take(name, options, NETWORK | {"norm_type": None}, UNREAD)
    _refuse(name, o, "attention_type", tuple(KINDS))
    _refuse(name, o, "spacial_dim", (2, None))
    return SquareTransformer(
        nn.Sequential(OrderedDict(lift=matrix(SQUARE, o["node_feats"], o["n_hidden"]))),
        build_blocks(name, o, o["norm_type"], 1e-5, False),
        nn.Identity(),
        _spectral(name, o, 2, start=o["n_hidden"], hidden=o["freq_dim"]),
        coordinates=o["pos_dim"],
        appended=True,
        with_grid=bool(o["spacial_fc"]),
        dirichlet=False,
    )


def _pointwise(o: Options, domain: Domain, axes: int, layers: int) -> nn.Sequential:
    width, hidden = o["n_hidden"], []
    for _ in range(max(1, layers)):
        hidden += [matrix(domain, width, width), _silu_or_relu(o["regressor_activation"])]
    reduce = matrix(domain, width + axes, width) if o["spacial_fc"] else nn.Identity()
    parts = {"reduce": reduce, "hidden": nn.Sequential(*hidden), "out": matrix(domain, width, o["n_targets"])}
    return nn.Sequential(OrderedDict(parts))


def _spectral(name: str, o: Options, axes: int, start: int, hidden: int) -> SpectralDecoder:
    for key in ("freq_dim", "fourier_modes", "num_regressor_layers"):
        if o[key] is None:
            raise ValueError(f"{name}: the option {key!r} is required for a spectral decoder")
    if axes not in (1, 2):
        raise ValueError(f"{name}: the released spectral decoder has 1 or 2 axes, got spacial_dim={axes}")
    if not o["spacial_fc"] and start != o["n_hidden"]:
        raise ValueError(f"{name}: without spacial_fc freq_dim={start} must be n_hidden={o['n_hidden']}")
    domain, m, width = Domain.unit(axes), o["fourier_modes"], o["freq_dim"]
    decoder = SpectralDecoder(
        Space(domain, o["n_hidden"] + axes),
        [Space(domain, n) for n in (start, *(width,) * max(1, o["num_regressor_layers"]))],
        Space(domain, hidden),
        Space(domain, o["n_targets"]),
        (2 * m,) * (axes - 1) + (2 * m - 1,),
        basis="fourier",
        activation="silu" if o["regressor_activation"] in ("silu", None) else "relu",
    )
    if not o["spacial_fc"]:
        decoder.reduce = nn.Identity()
    return decoder


def _downscaler(name: str, o: Options) -> nn.Module:
    rho, width = _silu_or_relu(o["downscaler_activation"] or "silu"), o["n_hidden"]
    if o["downsample_mode"] == "interp":
        resized = [Resized(size) for size in o["downscaler_size"]]
        return Downscaler(o["node_feats"], width, (1, 1, 1, 1), resized, (rho, rho))
    _refuse(name, o, "downsample_mode", ("conv", "interp"))
    pools = [nn.AvgPool2d(2), nn.AvgPool2d(2)]
    first = Downscaler(o["node_feats"], width, (1, 1, 1, 1), pools, (nn.SiLU(), rho))
    return nn.Sequential(first, Downscaler(width, width, (5, 2, 1, 1), pools, (nn.SiLU(), rho)))


def _upscaler(name: str, o: Options) -> nn.Module:
    if o["upsample_mode"] == "interp":
        return interpolating_upscaler(
            o["n_hidden"], o["upscaler_size"], _silu_or_relu(o["upscaler_activation"] or "silu")
        )
    _refuse(name, o, "upsample_mode", ("conv", "deconv", "interp"))
    return transposed_upscaler(o["n_hidden"], _silu_or_relu(o["upscaler_activation"]))


def _silu_or_relu(name: str | None) -> nn.Module:
    return nn.SiLU() if name == "silu" else nn.ReLU()


def _refuse(name: str, o: Options, key: str, possible: Sequence[Any]) -> None:
    if o[key] not in possible:
        raise ValueError(f"{name}: {key}={o[key]!r} does not run in the released code: only {list(possible)}")
