"""P238's released attention (scaomath/galerkin-transformer, libs/layers.py and model.py) in terms of ours."""

from typing import Any

from torch import nn

from vcycle.networks.attention import Attention, HeadNorm, HeadNormName, Kind, fourier, galerkin, linear, softmax
from vcycle.networks.authors_galerkin_parts import AlwaysDropout, Negated, RowAttention, divided
from vcycle.networks.norms import ChannelNorm
from vcycle.networks.renamed import REQUIRED, take
from vcycle.networks.transformer_block import BlockOptions, TransformerBlock
from vcycle.spaces import Domain, Space

ROW = Domain.unit(1)
KINDS: dict[str, Kind] = {
    "galerkin": galerkin,
    "linear": linear,
    "global": linear,
    "softmax": softmax,
    "fourier": fourier,
    "integral": fourier,
    "local": fourier,
}
# 'published_dropout' is our word: True switches on what the released code does in evaluation too (AlwaysDropout).
ATTENTION = {
    "n_head": REQUIRED,
    "d_model": REQUIRED,
    "pos_dim": 1,
    "attention_type": "fourier",
    "norm": False,
    "norm_type": "layer",
    "eps": 1e-5,
    "published_dropout": False,
}
INITIAL = ("xavier_init", "diagonal_weight", "symmetric_init", "dropout", "debug")


def build_attention(name: str, options: dict[str, Any]) -> RowAttention:
    """SimpleAttention with random weights."""
    o = take(name, options, ATTENTION, INITIAL)
    kind = _kind(name, o["attention_type"], o["norm_type"] if o["norm"] else None)
    attention = Attention(
        Space(ROW, o["d_model"]),
        o["n_head"],
        kind,
        coordinates=o["pos_dim"],
        head_norm=o["norm_type"] if o["norm"] else None,
    )
    _finish(attention, o["eps"], o["published_dropout"])
    return RowAttention(attention, o["pos_dim"])


def build_blocks(
    name: str,
    o: dict[str, Any],
    norm_type: HeadNormName | None,
    eps: float,
    batch_norm: bool,
    activation: str | None = None,
    residual_type: str | None = None,
) -> list[TransformerBlock]:
    """SimpleTransformerEncoderLayer, as often as there are layers."""
    if o["feat_extract_type"] in ("gcn", "gat") and (o["num_feat_layers"] or 0) > 0:
        raise ValueError(f"{name}: feat_extract_type={o['feat_extract_type']!r} takes the edges of a graph, not a grid")
    layer_norm = bool(o["layer_norm"])
    head_norm: HeadNormName | None = None if layer_norm and not o["attn_norm"] else norm_type or "layer"
    hidden = o["dim_feedforward"] or 2 * o["n_hidden"]
    options = BlockOptions(
        heads=o["n_head"],
        attention=_kind(name, o["attention_type"], head_norm),
        coordinates=o["pos_dim"],
        head_norm=head_norm,
        norm_placement="post" if layer_norm else "none",
        mlp_expansion=hidden / o["n_hidden"],
        activation=activation if activation in ("silu", "gelu") else "relu",
    )
    blocks = []
    for _ in range(o["num_encoder_layers"]):
        block = TransformerBlock(Space(ROW, o["n_hidden"]), options)
        _finish(block, eps, o["published_dropout"])
        if batch_norm:
            block.mlp.sigma = nn.Sequential(block.mlp.sigma, nn.BatchNorm1d(hidden))
        if residual_type not in ("add", "plus", None):
            block.attention = Negated(block.attention)
        blocks.append(block)
    return blocks


def _kind(name: str, attention_type: str, head_norm: str | None) -> Kind:
    if attention_type not in KINDS:
        raise ValueError(f"{name}: attention_type={attention_type!r} stops in the released code: use one of {[*KINDS]}")
    kind = KINDS[attention_type]
    if head_norm == "instance" and kind in (fourier, softmax):
        raise ValueError(f"{name}: norm_type='instance' stops in the released code with {attention_type=}")
    return divided(kind)


def _finish(module: nn.Module, eps: float, published_dropout: bool) -> None:
    for part in module.modules():
        if isinstance(part, HeadNorm | ChannelNorm):
            part.eps = eps
        if isinstance(part, Attention) and published_dropout:
            part.dropout = AlwaysDropout()
