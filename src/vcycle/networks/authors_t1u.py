"""P39's released T1U_2d (DiffEqML/kairos, t1.py): one layer of T1 and a U-Net on the square of the lowest cosines."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vcycle.networks.authors_t1 import cosines, require_runs, sine_or_gelu
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.networks.spectrum import SpectrumLayer
from vcycle.operators import Pointwise
from vcycle.spaces import Domain, Space

OPTIONS = {
    "modes": REQUIRED,
    "signal_resolution": REQUIRED,
    "in_channels": 1,
    "out_channels": 1,
    "channel_exponent": 4,
    "perform_forward": True,
    "perform_inverse": True,
    "residual": True,
    "use_operator_layer": True,
    "act": "sin",
    "transform": "dct",
}
HALVE, KEEP = (4, 1), (3, 1, 1)  # kernel, padding; going up also the factor of the interpolation before
DOUBLE = (3, 1, 2)
# For every number of modes: the layers 2, 2b, 3, 4, 5, 6 down, and 6, 5, 4, 3, 2b, 2 up.
SHAPES: dict[int, tuple[list[tuple[int, int]], list[tuple[int, int, int]]]] = {
    24: ([HALVE, HALVE, (2, 2), (2, 2), (2, 3), (3, 0)], [(1, 1, 2), (2, 0, 1), KEEP, KEEP, DOUBLE, DOUBLE]),
    36: ([HALVE, HALVE, (2, 2), (2, 2), (2, 2), (3, 0)], [(1, 1, 2), (1, 0, 1), KEEP, KEEP, (2, 1, 2), DOUBLE]),
    64: ([HALVE, HALVE, HALVE, (2, 2), (2, 2), (2, 0)], [(1, 0, 2), (1, 0, 1), KEEP, DOUBLE, DOUBLE, DOUBLE]),
    100: ([HALVE] * 4 + [(2, 1), (2, 1)], [KEEP, (2, 1, 1), DOUBLE, DOUBLE, (2, 1, 2), DOUBLE]),
    128: ([HALVE] * 4 + [(2, 1), (2, 1)], [KEEP, (2, 1, 1), DOUBLE, DOUBLE, DOUBLE, DOUBLE]),
    224: ([HALVE] * 3 + [(4, 0), (4, 0), (2, 0)], [(1, 0, 2), (1, 0, 3), (5, 0, 3), DOUBLE, DOUBLE, DOUBLE]),
    384: ([HALVE] * 3 + [(4, 0), (4, 0), (3, 0)], [(1, 0, 4), (2, 0, 3), (1, 1, 2), DOUBLE, DOUBLE, DOUBLE]),
    512: ([HALVE] * 3 + [(4, 0), (4, 0), (3, 0)], [(1, 0, 3), (4, 0, 3), (1, 1, 2), DOUBLE, DOUBLE, DOUBLE]),
}
BESIDE = (100, 128)  # here layer 6 reads layer 4, beside layer 5
NAMES = ["1", "2", "2b", "3", "4", "5", "6"]
WIDTHS = [1, 2, 2, 4, 8, 8, 8]


def t1u_2d(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """T1U_2d; every other option is accepted and ignored, as in the published class."""
    o = take(name, options, OPTIONS, tuple(key for key in options if key not in OPTIONS))
    require_runs(name, o, transform=("dct",), perform_inverse=(False,), modes=tuple(SHAPES))
    if o["modes"] == 36 and o["in_channels"] != 1:
        raise ValueError(f"{name}: modes=36 runs with one input channel only, got in_channels={o['in_channels']}")
    unused = "" if o["use_operator_layer"] else r"op_layer\..*"
    return Published(ReleasedT1U(o), _foreign, unused)


class ReleasedT1U(nn.Module):
    """c = U(L(A P(a, x))) on the lowest `modes` per axis, zero beyond; coefficients of a `signal_resolution` grid."""

    def __init__(self, o: Mapping[str, Any]):
        super().__init__()
        square, width, modes = Domain.unit(2, "neumann"), o["in_channels"] + 2, o["modes"]
        self.modes, self.resolution, self.analysed = modes, o["signal_resolution"], o["perform_forward"]
        self.in_channels, self.squeezed = o["in_channels"], o["out_channels"] == 1
        self.lift = Pointwise(Space(square, width), Space(square, width), bias=True)
        self.layer: nn.Module = nn.Identity()
        if o["use_operator_layer"]:
            self.layer = SpectrumLayer(width, (modes, modes), sine_or_gelu(o["act"]), residual=o["residual"])
        self.unet = SpectrumUNet(width, 1 if modes == 36 else o["out_channels"], 2 ** o["channel_exponent"], modes)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None] if self.in_channels == 1 else x
        if x.ndim != 4 or x.shape[1] != self.in_channels or min(x.shape[2:]) < self.modes:
            raise ValueError(
                f"the released T1U takes {self.in_channels} channels on a grid of {self.modes} x {self.modes} points "
                f"or more, got {tuple(x.shape)}"
            )
        v = self.lift(append_coordinates(x, "ends"))
        z = (cosines(v) if self.analysed else v)[..., : self.modes, : self.modes]
        c = self.unet(self.layer(z))
        rows, columns = (n - self.modes for n in self.resolution)
        c = nn.functional.pad(c, (0, columns, 0, rows))
        return c.squeeze(1) if self.squeezed else c


class SpectrumUNet(nn.Module):
    """The U-Net of deep-flow-prediction, whose kernels and paddings were fitted to each number of modes."""

    def __init__(self, in_channels: int, out_channels: int, width: int, modes: int):
        super().__init__()
        down, up = SHAPES[modes]
        w = [n * width for n in WIDTHS]
        self.beside = modes in BESIDE
        self.first = nn.Conv2d(in_channels, w[0], 4, 2, 1)
        self.down = nn.ModuleList(
            Convolved(w[i], w[i + 1], kernel, padding, norm=i < 5, stride=2) for i, (kernel, padding) in enumerate(down)
        )
        sources = [w[6]] + [2 * w[i] for i in (5, 4, 3, 2, 1)]
        targets = [w[5], *(w[i] for i in (4, 3, 2, 1, 0))]
        self.up = nn.ModuleList(
            Convolved(i, o, kernel, padding, factor=factor)
            for i, o, (kernel, padding, factor) in zip(sources, targets, up, strict=True)
        )
        self.last = nn.ConvTranspose2d(2 * w[0], out_channels, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        outs = [self.first(z)]
        for i, layer in enumerate(self.down):
            source = outs[4] if self.beside and i == 5 else outs[-1]
            outs.append(layer(nn.functional.leaky_relu(source, 0.2)))
        c = self.up[0](outs.pop().relu())
        for layer in list(self.up)[1:]:
            c = layer(torch.cat([c, outs.pop()], 1).relu())
        return self.last(torch.cat([c, outs.pop()], 1).relu())


class Convolved(nn.Module):
    """Bilinear interpolation to `factor` times the points, a convolution, a batch normalisation."""

    def __init__(
        self,
        source: int,
        target: int,
        kernel: int,
        padding: int,
        *,
        norm: bool = True,
        stride: int = 1,
        factor: int = 1,
    ):
        super().__init__()
        self.factor = factor
        self.convolution = nn.Conv2d(source, target, kernel, stride, padding)
        self.norm = nn.BatchNorm2d(target) if norm else nn.Identity()

    def forward(self, u: Tensor) -> Tensor:
        if self.factor > 1:
            u = nn.functional.interpolate(u, scale_factor=self.factor, mode="bilinear")
        return self.norm(self.convolution(u))


def _foreign(key: str) -> str:
    part, _, rest = key.partition(".")
    if part == "lift":
        return f"fc0.{rest}"
    if part == "layer":
        known = {"R.weight": "ch_mixing_1", "X.axes.0": "spatial_mixing_1", "X.axes.1": "spatial_mixing_2"}
        return f"op_layer.{known[rest]}"
    names = rest.split(".")
    if names[0] in ("first", "last"):
        layer, kind = ("layer1", "conv") if names[0] == "first" else ("dlayer1", "tconv")
        return f"dfpnet.{layer}.{layer}_{kind}.{names[1]}"
    position = int(names[1])
    layer = f"layer{NAMES[position + 1]}" if names[0] == "down" else f"dlayer{NAMES[6 - position]}"
    convolution = "conv" if names[0] == "down" else "tconv"
    kind = convolution if names[2] == "convolution" else "bn"
    return f"dfpnet.{layer}.{layer}_{kind}.{names[3]}"
