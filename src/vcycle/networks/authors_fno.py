"""neuraloperator 2.0's FNO and SpectralConv in terms of ours."""

import re
from collections.abc import Mapping
from typing import Any

from vcycle.networks.fno import FNO
from vcycle.networks.fourier_block import SkipName
from vcycle.networks.norms import NormName
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.operators import Fourier
from vcycle.spaces import Domain, Space

SKIPS: dict[str | None, SkipName | None] = {
    "linear": "linear",
    "identity": "identity",
    "soft-gating": "gating",
    None: None,
}
NORMS: dict[str | None, NormName | None] = {
    "instance_norm": "instance",
    "group_norm": "group",
    "batch_norm": "batch",
    None: None,
}

SPECTRAL = {
    "n_modes": REQUIRED,
    "in_channels": REQUIRED,
    "out_channels": REQUIRED,
    "max_n_modes": None,
    "separable": False,
    "factorization": None,
    "complex_data": False,
    "fno_block_precision": "full",
    "resolution_scaling_factor": None,
}
NETWORK = {
    "hidden_channels": REQUIRED,
    "n_layers": 4,
    "lifting_channel_ratio": 2,
    "projection_channel_ratio": 2,
    "positional_embedding": "grid",
    "non_linearity": "gelu",
    "norm": None,
    "norm_groups": 1,
    "use_channel_mlp": True,
    "channel_mlp_dropout": 0,
    "channel_mlp_expansion": 0.5,
    "channel_mlp_skip": "soft-gating",
    "fno_skip": "linear",
    "conv_bias_kernel": 1,
    "domain_padding": None,
    "stabilizer": None,
    "preactivation": False,
}
# Read only for factorised weights, or without influence on the values of a network with real data.
IGNORED = ("rank", "fixed_rank_modes", "implementation", "decomposition_kwargs", "enforce_hermitian_symmetry")
EXPRESSIBLE = {
    "factorization": (None, "dense", "Dense", "ComplexDense"),
    "complex_data": (False,),
    "fno_block_precision": ("full",),
    "resolution_scaling_factor": (None,),
    "max_n_modes": (None,),
    "positional_embedding": ("grid", None),
    "stabilizer": ("tanh", None),
    "norm": tuple(NORMS),
    "fno_skip": tuple(SKIPS),
    "channel_mlp_skip": tuple(SKIPS),
}


def fno(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """FNO."""
    o = _options(name, options, SPECTRAL | NETWORK, (*IGNORED, "conv_module"))
    modes = _modes(o["n_modes"])
    network = FNO(
        o["in_channels"],
        o["out_channels"],
        width=o["hidden_channels"],
        depth=o["n_layers"],
        modes=modes,
        activation=o["non_linearity"].rpartition(".")[2],
        coordinates=None if o["positional_embedding"] is None else "corners",
        padding=o["domain_padding"],
        skip=SKIPS[o["fno_skip"]],
        skip_kernel=o["conv_bias_kernel"],
        mlp_skip=SKIPS[o["channel_mlp_skip"]],
        mlp_expansion=o["channel_mlp_expansion"] if o["use_channel_mlp"] else None,
        norm=NORMS[o["norm"]],
        norm_groups=o["norm_groups"],
        preactivation=o["preactivation"],
        stabilizer=o["stabilizer"] == "tanh",
        separable=o["separable"],
        lifting_ratio=float(o["lifting_channel_ratio"]),
        projection_ratio=float(o["projection_channel_ratio"]),
        dropout=float(o["channel_mlp_dropout"]),
        domain=Domain.unit(len(modes)),  # Dirichlet: a wide skip sees zeros beyond the boundary
    )
    skip = ".conv" if o["fno_skip"] == "linear" and o["conv_bias_kernel"] == 1 else ""
    gate = ".conv" if o["channel_mlp_skip"] == "linear" else ""
    norm = ".norm" if o["norm"] == "batch_norm" else ""

    def foreign(key: str) -> str:
        key = re.sub(r"^lift\.", "lifting.", key)
        key = re.sub(r"^project\.", "projection.", key)
        key = re.sub(r"^blocks\.(\d+)\.mlp\.", r"fno_blocks.channel_mlp.\1.", key)
        key = key.replace(".inner.", ".fcs.0.").replace(".outer.", ".fcs.1.")
        key = re.sub(r"^blocks\.(\d+)\.neurons\.W\.(1\.)?weight", r"fno_blocks.convs.\1.weight.tensor", key)
        key = re.sub(r"^blocks\.(\d+)\.neurons\.W\.(1\.)?bias", r"fno_blocks.convs.\1.bias", key)
        key = re.sub(r"^blocks\.(\d+)\.neurons\.B\.", rf"fno_blocks.fno_skips.\1{skip}.", key)
        key = re.sub(r"^blocks\.(\d+)\.gate\.", rf"fno_blocks.channel_mlp_skips.\1{gate}.", key)
        for ours, position in (("neurons.norm", 0), ("start.1", 0), ("end.0", 1), ("middle", 1)):
            found = re.match(rf"^blocks\.(\d+)\.{re.escape(ours)}\.(.+)$", key)
            if found:
                key = f"fno_blocks.norm.{2 * int(found[1]) + position}{norm}.{found[2]}"
        return key

    return Published(network, foreign, unused="_metadata")


def spectral_convolution(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """SpectralConv: a Fourier operator with bias."""
    o = _options(name, options, SPECTRAL | {"bias": True}, (*IGNORED, "init_std", "fft_norm", "device"))
    modes = _modes(o["n_modes"])
    domain = Domain.unit(len(modes))
    network = Fourier(
        Space(domain, o["in_channels"]),
        Space(domain, o["out_channels"]),
        modes,
        bias=o["bias"],
        separable=o["separable"],
    )
    return Published(network, lambda key: {"weight": "weight.tensor"}.get(key, key))


def _options(name: str, options: dict[str, Any], defaults: dict[str, Any], ignored: tuple[str, ...]) -> dict[str, Any]:
    o = take(name, options, defaults, ignored)
    for key, value in o.items():
        if key in EXPRESSIBLE and value not in EXPRESSIBLE[key]:
            raise ValueError(f"{name}: {key}={value!r} has no counterpart here, only {list(EXPRESSIBLE[key])}")
    return o


def _modes(value: int | list[int] | tuple[int, ...]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
