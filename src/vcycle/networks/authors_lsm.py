"""P18's released classes on grids (thuml/Latent-Spectral-Models, LSM_2D.py and LSM_3D.py) in terms of ours."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.lsm import LSM
from vcycle.networks.perceptron import ChannelPerceptron
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.networks.spectral_block import LatentOptions, SpectralBlock
from vcycle.networks.spectral_unet import SpectralUNet, UNetOptions, Upsampling
from vcycle.operators import Pointwise
from vcycle.spaces import Domain, Space

LEVELS, HEADS, PROJECTED = 5, 8, 128
DIMENSIONS = {"LSM_2D": (2,), "LSM_3D": (3,)}  # `Model` is the name of both
# With the defaults of the scripts.
UNET = {"d_model": 32, "num_token": 4, "num_basis": 12, "patch_size": "3,3", "bilinear": True}
NETWORK = UNET | {"in_dim": 1, "out_dim": 1, "padding": "3,3"}
# Other arguments of the scripts, which the classes do not read.
SCRIPT = (
    *("data_path", "ntotal", "ntrain", "ntest", "h", "w", "T_in", "T_out", "h_down", "w_down"),
    *("batch_size", "learning_rate", "epochs", "step_size", "gamma", "model", "model_save_path", "model_save_name"),
)


def lsm(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """LSM_2D and LSM_3D, channels last."""
    o = take(name, options, NETWORK, SCRIPT)
    patch = numbers(name, "patch_size", o["patch_size"], DIMENSIONS.get(name, (2, 3)))
    padding = numbers(name, "padding", o["padding"], (len(patch),))
    if any(padding) and not all(padding):
        raise ValueError(f"{name}: with padding={o['padding']!r} the published class crops an axis to nothing")
    domain, width = Domain.unit(len(patch)), o["d_model"]
    hidden = Space(domain, width)
    unet = published_unet(name, hidden, o)
    network = LSM(
        o["in_dim"],
        o["out_dim"],
        width=width,
        levels=LEVELS,
        heads=HEADS,
        patch=patch,
        coordinates="ends",
        padding=padding[::-1],  # the first number pads the last axis
        domain=domain,
    )
    network.unet = unet
    network.project = published_projection(hidden, o["out_dim"])
    return Published(ChannelsLast(network), lambda key: _foreign(key.removeprefix("network.")))


def spectral_block(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """NeuralSpectralBlock2d, which is the name of the one for 3 axes too."""
    defaults = {"width": REQUIRED, "num_basis": REQUIRED, "patch_size": (3, 3), "num_token": 4}
    o = take(name, options, defaults)
    patch = numbers(name, "patch_size", o["patch_size"], (2, 3))
    latent = LatentOptions(o["num_token"], HEADS, o["num_basis"], published=True)
    block = SpectralBlock(Space(Domain.unit(len(patch)), o["width"]), latent)

    def foreign(key: str) -> str:
        return foreign_unet(f"blocks.0.{key.removeprefix('block.')}").removeprefix("process1.")

    return Published(Patched(block, patch), foreign)


class ChannelsLast(nn.Module):
    """A network on (b, *grid, c)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "b *grid i"]) -> Float[Tensor, "b *grid o"]:
        return self.network(x.movedim(-1, 1)).movedim(1, -1)


class Patched(nn.Module):
    """A spectral block on patches of a fixed number of points."""

    def __init__(self, block: SpectralBlock, patch: tuple[int, ...]):
        super().__init__()
        self.block, self.patch = block, patch

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        return self.block(u, self.patch)


def published_unet(name: str, space: Space, o: Mapping[str, Any]) -> SpectralUNet:
    if space.channels % HEADS:
        raise ValueError(
            f"{name}: the published class has {HEADS} heads, so d_model must be a multiple of {HEADS}, "
            f"got {space.channels}"
        )
    upsampling: Upsampling = "ends" if o["bilinear"] else "learned"
    latent = LatentOptions(o["num_token"], HEADS, o["num_basis"], published=True)
    return SpectralUNet(space, UNetOptions(LEVELS, "relu", "batch", 1, upsampling, latent))


def published_projection(space: Space, out_channels: int) -> nn.Sequential:
    """A matrix, and a perceptron whose inner channels do not depend on the width."""
    inner, target = Space(space.domain, PROJECTED), Space(space.domain, out_channels)
    perceptron = ChannelPerceptron(space, inner, target, nn.GELU())
    return nn.Sequential(OrderedDict(matrix=Pointwise(space, space, bias=True), perceptron=perceptron))


def numbers(name: str, option: str, value: str | Sequence[int], counts: tuple[int, ...]) -> tuple[int, ...]:
    """'6,6' or (6, 6) to (6, 6)."""
    parts = value.split(",") if isinstance(value, str) else value
    if len(parts) not in counts:
        expected = " or ".join(map(str, counts))
        raise ValueError(f"{name}: got {option}={value!r}, expected {expected} numbers, one per axis")
    return tuple(int(part) for part in parts)


def foreign_unet(key: str) -> str:
    """The published name of a key of a SpectralUNet."""
    part, level, rest = key.split(".", 2)
    above, below = int(level), LEVELS - 1 - int(level)
    if part == "blocks":
        for ours, theirs in (("keys_values", "encoder_attn"), ("queries", "decoder_attn"), ("tokens", "latent")):
            rest = rest.replace(ours, theirs)
        return f"process{above + 1}.{rest.replace('series.weight', 'weights')}"
    if part == "up":
        return f"up{below}.up.{rest.removeprefix('P.')}"
    stage = f"up{below}.conv" if part == "decoder" else f"down{above}.maxpool_conv.1" if above else "inc"
    neuron, which, value = rest.split(".")
    return f"{stage}.double_conv.{3 * int(neuron) + (which == 'norm')}.{value}"


def foreign_projection(key: str) -> str:
    """The published name of a key of the projection."""
    key = re.sub(r"^matrix\.", "outc.conv.", key)
    return key.replace("perceptron.inner", "fc1").replace("perceptron.outer", "fc2")


def _foreign(key: str) -> str:
    part, _, rest = key.partition(".")
    if part == "lift":
        return f"fc0.{rest}"
    return foreign_unet(rest) if part == "unet" else foreign_projection(rest)
