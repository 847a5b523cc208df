"""P59's released class (divelab/AIRS, SineNet, sinenet_dual.py) in terms of ours."""

import re
from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.networks.sinenet import SineNet
from vcycle.operators.resampling import InterpolationName
from vcycle.spaces import Domain

OPTIONS = {
    "n_input_scalar_components": REQUIRED,
    "n_input_vector_components": REQUIRED,
    "n_output_scalar_components": REQUIRED,
    "n_output_vector_components": REQUIRED,
    "time_history": REQUIRED,
    "time_future": REQUIRED,
    "hidden_channels": REQUIRED,
    "padding_mode": REQUIRED,
    "activation": "gelu",
    "num_layers": 4,
    "num_waves": 2,
    "num_blocks": 1,
    "norm": True,
    "mult": 2,
    "residual": True,
    "wave_residual": True,
    "disentangle": True,
    "down_pool": True,
    "avg_pool": True,
    "up_interpolation": True,
    "interpolation_mode": "bicubic",
}
INTERPOLATIONS: dict[str, InterpolationName] = {
    "bicubic": "cubic",
    "bilinear": "linear",
    "nearest": "constant",
    "nearest-exact": "constant",
    "area": "constant",
}
# The released class stops, or fails on every input, with any other value.
EXPRESSIBLE = {
    "num_layers": (4,),
    "down_pool": (True,),
    "up_interpolation": (True,),
    "activation": ("relu", "silu", "gelu", "tanh", "sigmoid"),
    "padding_mode": ("zeros", "circular", "reflect", "replicate"),
    "interpolation_mode": tuple(INTERPOLATIONS),
}


class Frames(nn.Module):
    """Fields (b, t, c, x, y) with time in front: the network sees the channels of all times at once."""

    def __init__(self, network: nn.Module, times: int, channels: int):
        super().__init__()
        self.network: nn.Module = network
        self.shape = (times, channels)

    def forward(self, x: Float[Tensor, "b t i x y"]) -> Float[Tensor, "b s o x y"]:
        return self.network(x.flatten(1, 2)).unflatten(1, self.shape)


def sinenet(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """sinenet: a vector has two components, `par1` is only printed."""
    o = take(name, options, OPTIONS, ("par1",))
    for key, values in EXPRESSIBLE.items():
        if o[key] not in values:
            raise ValueError(f"{name}: {key}={o[key]!r} has no counterpart here, only {list(values)}")
    inputs = o["n_input_scalar_components"] + 2 * o["n_input_vector_components"]
    outputs = o["n_output_scalar_components"] + 2 * o["n_output_vector_components"]
    network = SineNet(
        o["time_history"] * inputs,
        o["time_future"] * outputs,
        coordinates=None,
        width=o["hidden_channels"],
        waves=o["num_waves"],
        levels=1 + o["num_layers"],
        multiplier=float(o["mult"]),
        blocks=o["num_blocks"],
        activation=o["activation"],
        norm="group" if o["norm"] else None,
        disentangled=o["disentangle"],
        shortcut=o["residual"],
        residual=o["wave_residual"],
        pooling="average" if o["avg_pool"] else "max",
        interpolation=INTERPOLATIONS[o["interpolation_mode"]],
        ghost=o["padding_mode"],
        domain=Domain.unit(2),
    )
    return Published(Frames(network, o["time_future"], outputs), _foreign)


def _foreign(key: str) -> str:
    key = key.removeprefix("network.")
    key = re.sub(r"^lift\.", "image_proj.", key)
    key = re.sub(r"^project\.", "final.", key)
    found = re.fullmatch(r"waves\.(\d+)\.([DC])\.(\d+)\.(.+)", key)
    if not found:
        return key
    wave, part, level, rest = found.groups()
    # Going up, the released class counts from the coarsest of its four levels.
    place = f"down.{wave}.{level}" if part == "D" else f"up.{wave}.{3 - int(level)}"
    layer = re.fullmatch(r"blocks\.(\d+)\.layers\.([01])\.(W|norm)\.(weight|bias)", rest)
    if not layer:
        return f"{place}.{rest.replace('blocks.0.S.', 'shortcut.')}"
    kind = "conv" if layer[3] == "W" else "norm"
    return f"{place}.conv.{layer[1]}.{kind}{int(layer[2]) + 1}.{layer[4]}"
