"""P238's released keys: which of them hold one of our parameters, and which several hold it together."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vcycle.networks.attention import HeadNorm
from vcycle.networks.checks import did_you_mean
from vcycle.networks.renamed import Published
from vcycle.operators import Fourier

RENAMED = (
    (r"^attention\.", ""),
    (r"^blocks\.(\d+)\.attention\.(f\.)?", r"encoder_layers.\1.attn."),
    (r"\bquery\.", "linears.0."),
    (r"\bkey\.", "linears.1."),
    (r"\bvalue\.", "linears.2."),
    (r"\bmix\.", "fc."),
    (r"\bnorms\.([qkv])\.", lambda found: f"norm_{found[1].upper()}."),
    (r"^blocks\.(\d+)\.mlp\.inner\.", r"encoder_layers.\1.ff.lr1."),
    (r"^blocks\.(\d+)\.mlp\.outer\.", r"encoder_layers.\1.ff.lr2."),
    (r"^blocks\.(\d+)\.mlp\.sigma\.1\.", r"encoder_layers.\1.ff.bn."),
    (r"^blocks\.(\d+)\.residuals\.0\.after\.", r"encoder_layers.\1.layer_norm1."),
    (r"^blocks\.(\d+)\.residuals\.1\.after\.", r"encoder_layers.\1.layer_norm2."),
    (r"^downscaler\.convolutions\.(\d)\.", r"downscaler.downsample.conv\1.conv.0."),
    (r"^downscaler\.(\d)\.convolutions\.(\d)\.", r"downscaler.downsample.\1.conv\2.conv.0."),
    (r"^downscaler\.(weight|bias)$", r"downscaler.id.\1"),
    (r"^(downscaler\.)?lift\.", "feat_extract.id."),
    (r"^upscaler\.1\.", "upscaler.upsample.conv.0.conv.0."),
    (r"^upscaler\.deconv(\d)\.", lambda found: f"upscaler.upsample.{int(found[1]) // 2}.deconv{int(found[1]) % 2}."),
    (r"^decoder\.reduce\.", "regressor.fc."),
    (r"^decoder\.neurons\.(\d+)\.W\.weight", r"regressor.spectral_conv.\1.fourier_weight"),
    (r"^decoder\.neurons\.(\d+)\.B\.", r"regressor.spectral_conv.\1.linear."),
    (r"^decoder\.project\.inner\.", "regressor.regressor.0."),
    (r"^decoder\.project\.outer\.", "regressor.regressor.2."),
    (r"^decoder\.hidden\.(\d+)\.", lambda found: f"regressor.ff.{int(found[1]) // 2}.0."),
    (r"^decoder\.out\.", "regressor.out."),
)


def published(name: str, network: nn.Module, state: Mapping[str, Any], unused: str = "") -> Published:
    """The network with the parameters that several keys hold together filled in, and the names of all others."""
    network = network.to(next((v.dtype for v in state.values() if v.is_floating_point()), torch.float32))
    together = dict[str, list[str]]()
    for path, part in network.named_modules():
        if isinstance(part, HeadNorm):
            for key in ("weight", "bias"):
                stem, _, end = _renamed(f"{path}.{key}").rpartition(".")
                together[f"{path}.{key}"] = [f"{stem}.{head}.{end}" for head in range(part.weight.shape[0])]
        if isinstance(part, Fourier) and len(part.modes) == 2:
            # Frequencies -m, ..., -1 of the first axis are the second weight, 0, ..., m - 1 the first.
            together[f"{path}.weight"] = [f"{_renamed(f'{path}.weight')}.{half}" for half in (1, 0)]
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for key, foreign in together.items():
            parameters[key].copy_(_joined(name, foreign, state, parameters[key]))
    used = [re.escape(foreign) for keys in together.values() for foreign in keys]
    return Published(network, lambda key: None if key in together else _renamed(key), "|".join([*used, unused]))


def _joined(name: str, keys: list[str], state: Mapping[str, Any], like: Tensor) -> Tensor:
    """Norms of heads stacked, halves of the frequencies in one axis."""
    for key in keys:
        if key not in state:
            raise ValueError(f"{name}: the state has no {key!r}{did_you_mean(key, list(state))}")
    parts = [state[key] for key in keys]
    shape = like.shape[1:] if like.ndim == 2 else (*like.shape[:2], like.shape[2] // 2, *like.shape[3:])
    for key, part in zip(keys, parts, strict=True):
        if part.shape != torch.Size(shape):
            raise ValueError(f"{name}: {key!r} has shape {tuple(part.shape)}, expected {tuple(shape)}")
    return torch.stack(parts) if like.ndim == 2 else torch.cat(parts, 2)


def _renamed(key: str) -> str:
    for pattern, name in RENAMED:
        key = re.sub(pattern, name, key)
    return key
