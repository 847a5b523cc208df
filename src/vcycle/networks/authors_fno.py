"""neuraloperator 2.0's FNO, TFNO and SpectralConv in terms of ours."""

import re
from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from vcycle.networks.activations import activation
from vcycle.networks.authors_complex_fno import ComplexFNO, ComplexFourier
from vcycle.networks.authors_fno_keys import fno_keys
from vcycle.networks.authors_spectral import ReleasedFourier, Resampled, Scaling
from vcycle.networks.authors_tensor import Tensorised, tensorised
from vcycle.networks.fno import FNO
from vcycle.networks.fourier_block import FourierBlock, SkipName
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
    "enforce_hermitian_symmetry": True,
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
    "conv_module": "SpectralConv",
}
# Read only for weights that are still to be drawn: the ranks are those of the state.
IGNORED = ("rank", "fixed_rank_modes", "implementation", "decomposition_kwargs")
EXPRESSIBLE = {
    "fno_block_precision": ("full", "half", "mixed"),  # the same network, computed with fewer digits
    "positional_embedding": ("grid", None),
    "stabilizer": ("tanh", None),
    "norm": tuple(NORMS),
    "fno_skip": tuple(SKIPS),
    "channel_mlp_skip": tuple(SKIPS),
    "conv_module": ("SpectralConv",),
}


def fno(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """FNO, and TFNO, whose weights are Tucker tensors unless told otherwise."""
    if name == "TFNO":
        options = {"factorization": "Tucker", **options}
    o = _options(name, options, SPECTRAL | NETWORK, IGNORED)
    modes, kept, stored = _modes(name, o)
    order = len(modes) + (1 if o["separable"] else 2)
    tensor = tensorised(name, o["factorization"], order, "fno_blocks.convs.0.", state)
    network = FNO(
        o["in_channels"],
        o["out_channels"],
        width=o["hidden_channels"],
        depth=o["n_layers"],
        modes=modes,
        activation="gelu" if o["complex_data"] else o["non_linearity"].rpartition(".")[2],
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
        factorization=tensor.factorization,
        rank=tensor.rank,
        lifting_ratio=float(o["lifting_channel_ratio"]),
        projection_ratio=float(o["projection_channel_ratio"]),
        dropout=float(o["channel_mlp_dropout"]),
        domain=Domain.unit(len(modes)),  # Dirichlet: a wide skip sees zeros beyond the boundary
    )
    scalings = _scalings(name, o["resolution_scaling_factor"], o["n_layers"], len(modes))
    foreign = fno_keys(o, tensor)
    if o["complex_data"]:
        network.lift.sigma = activation(o["non_linearity"].rpartition(".")[2], network.lift.inner.target)
        network.project.sigma = activation(o["non_linearity"].rpartition(".")[2], network.project.inner.target)
        space = Space(network.domain, network.width)
        weight = _weight(o, tensor)
        complex_network = ComplexFNO(network, lambda: ComplexFourier(space, space, kept, stored, bias=True, **weight))
        return Published(complex_network, foreign, unused="_metadata")
    if o["max_n_modes"] is not None or o["resolution_scaling_factor"] is not None:
        for block, scaling in zip(network.blocks, scalings, strict=True):
            _release(cast(FourierBlock, block), kept, scaling, o["enforce_hermitian_symmetry"])
    return Published(network, foreign, unused="_metadata")


def spectral_convolution(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """SpectralConv: a Fourier operator with bias."""
    o = _options(name, options, SPECTRAL | {"bias": True, "fft_norm": "forward"}, (*IGNORED, "init_std", "device"))
    modes, kept, stored = _modes(name, o)
    spaces = [Space(Domain.unit(len(modes)), o[channels]) for channels in ("in_channels", "out_channels")]
    order = len(modes) + (1 if o["separable"] else 2)
    tensor = tensorised(name, o["factorization"], order, "", state)
    weight = _weight(o, tensor)
    factor = o["resolution_scaling_factor"]
    (scaling,) = _scalings(name, [factor] if isinstance(factor, list | tuple) else factor, 1, len(modes))
    if scaling is not None and o["fft_norm"] != "forward":
        raise ValueError(f"{name}: resolution_scaling_factor is loaded with fft_norm='forward' only")
    network: nn.Module
    if o["complex_data"]:
        network = ComplexFourier(*spaces, kept, stored, bias=o["bias"], **weight)
    else:
        network = Fourier(*spaces, modes, bias=o["bias"], **weight)
        if o["max_n_modes"] is not None or scaling is not None:
            network = ReleasedFourier(network, kept, scaling, o["enforce_hermitian_symmetry"])

    def foreign(key: str) -> str:
        key = key.removeprefix("fourier.")
        return tensor.foreign(key) if key.startswith("weight") else key

    return Published(network, foreign)


def _weight(o: dict[str, Any], tensor: Tensorised) -> dict[str, Any]:
    return {"separable": o["separable"], "factorization": tensor.factorization, "rank": tensor.rank}


def _release(block: FourierBlock, kept: tuple[int, ...], scaling: Scaling | None, hermitian: bool) -> None:
    """Let a block keep fewer modes than it has weights for, and change the grid."""
    neurons = block.neurons
    stabilizer = list(neurons.W) if isinstance(neurons.W, nn.Sequential) else [neurons.W]
    released = ReleasedFourier(cast(Fourier, stabilizer.pop()), kept, scaling, hermitian)
    neurons.W = nn.Sequential(*stabilizer, released) if stabilizer else released
    if scaling is not None:
        neurons.B = None if neurons.B is None else Resampled(neurons.B, scaling)
        block.gate = None if block.gate is None else Resampled(block.gate, scaling)


def _options(name: str, options: dict[str, Any], defaults: dict[str, Any], ignored: tuple[str, ...]) -> dict[str, Any]:
    o = take(name, options, defaults, ignored)
    for key, value in o.items():
        shown = re.sub(r".*\.|\W", "", str(value)) if key == "conv_module" else value
        if key in EXPRESSIBLE and shown not in EXPRESSIBLE[key]:
            raise ValueError(f"{name}: {key}={value!r} has no counterpart here, only {list(EXPRESSIBLE[key])}")
    if o["resolution_scaling_factor"] is not None and (o["complex_data"] or o.get("domain_padding")):
        raise ValueError(
            f"{name}: resolution_scaling_factor has no counterpart here together with complex_data or domain_padding "
            "(release 2.0 itself fails beyond a single layer): leave one of them out"
        )
    return o


def _modes(name: str, o: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The modes of our Fourier operator; and in the shape of the weight, the modes that are kept and stored."""
    modes = _numbers(o["n_modes"])
    kept = modes if o["complex_data"] else (*modes[:-1], modes[-1] // 2 + 1)
    if o["max_n_modes"] is None:
        return modes, kept, kept
    stored = _numbers(o["max_n_modes"])  # of one sign on the last axis, unlike n_modes
    if len(stored) != len(kept) or any(k > m for k, m in zip(kept, stored, strict=True)):
        raise ValueError(
            f"{name}: got max_n_modes={list(stored)} for weights of {list(kept)} modes: give as many or more"
        )
    return (*stored[:-1], 2 * (stored[-1] - 1)), kept, stored


def _scalings(name: str, factor: Any, layers: int, dimension: int) -> list[Scaling | None]:
    """The scaling of every layer, from one number for all, one per layer, or one per layer and axis."""
    if factor is None:
        return [None] * layers
    given = [factor] * layers if isinstance(factor, int | float) else list(factor)
    scalings = [(float(s),) * dimension if isinstance(s, int | float) else tuple(map(float, s)) for s in given]
    if len(scalings) != layers or any(len(scaling) != dimension for scaling in scalings):
        raise ValueError(
            f"{name}: got resolution_scaling_factor={factor!r} for {layers} layers and {dimension} axes: give one "
            "number, one per layer, or one per layer and axis"
        )
    return [*scalings]


def _numbers(value: int | list[int] | tuple[int, ...]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)
