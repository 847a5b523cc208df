"""P39's released T1_1d and T1_2d (DiffEqML/kairos, t1.py), made of the layers of T1.

They are T1 on cosines with s = sqrt(points), coordinates 'ends' and a sine in the head, for one resolution; options
that T1 does not offer, because they only make sense on that grid, live here.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vcycle.networks.activations import Sine
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.renamed import REQUIRED, Published, take
from vcycle.networks.spectrum import SpectrumLayer
from vcycle.operators import Pointwise
from vcycle.spaces import Basis, Domain, Space

HEAD = 128
COMMON = {
    "width": REQUIRED,
    "signal_resolution": REQUIRED,
    "in_channels": 1,
    "out_channels": 1,
    "nlayers": 4,
    "padding": 0,
    "perform_inverse": True,
    "residual": True,
    "keep_high": False,
    "act": "sin",
    "transform": "dct",
    "weight_init": 2,
}
UNREAD = ("use_spectral",)


def t1_1d(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """T1_1d, with the one name in its forward that does not exist read as the one that does."""
    o = take(name, options, {"modes": REQUIRED} | COMMON, UNREAD)
    require_runs(name, o, transform=("dct", "dft"), weight_init=(1, 3, 4))
    if o["transform"] == "dft":
        return Published(ReleasedT1Fourier(o["modes"], o), _foreign)
    return Published(ReleasedT1((o["modes"],), o), _foreign)


def t1_2d(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """T1_2d: modes1 on both axes, as released."""
    defaults = {"modes1": REQUIRED, "modes2": REQUIRED, "perform_forward": True} | COMMON
    o = take(name, options, defaults, (*UNREAD, "first_layer_init_only"))
    require_runs(name, o, transform=("dct",), weight_init=(1, 2, 3, 4))
    return Published(ReleasedT1((o["modes1"],) * 2, o), _foreign)


def require_runs(name: str, o: Mapping[str, Any], **possible: Sequence[Any]) -> None:
    """Refuse an option with which the published class raises an error."""
    for key, values in possible.items():
        if o[key] not in values:
            raise ValueError(
                f"{name}: {key}={o[key]!r} raises an error in the published class: give one of {list(values)}"
            )


class ReleasedT1(nn.Module):
    """u = S Q(L(A pad P(a, x))) with the orthonormal DCT-II of the padded grid; without S if not `perform_inverse`.

    L are layers on the lowest modes; the other coefficients become 0 or, with `keep_high`, stay (but in two
    dimensions those of the last m rows and first m columns are lost). Q is fc2 sin fc1, without biases.
    """

    def __init__(self, modes: tuple[int, ...], o: Mapping[str, Any]):
        super().__init__()
        self.modes, self.domain = modes, Domain.unit(len(modes), "neumann")
        self.in_channels, self.padding = o["in_channels"], o["padding"]
        self.analysed, self.synthesised, self.keep_high = (
            o.get("perform_forward", True),
            o["perform_inverse"],
            o["keep_high"],
        )
        width = o["width"]
        source = Space(self.domain, o["in_channels"] + len(modes))
        self.lift = Pointwise(source, Space(self.domain, width), bias=True)
        self.layers = nn.Sequential(
            *(SpectrumLayer(width, modes, sine_or_gelu(o["act"]), residual=o["residual"]) for _ in range(o["nlayers"]))
        )
        self.fc1 = nn.Parameter(torch.zeros(width, HEAD))
        self.fc2 = nn.Parameter(torch.zeros(HEAD, o["out_channels"]))

    def forward(self, x: Tensor) -> Tensor:
        x = with_channel(x, self.in_channels, len(self.modes))
        v = self.lift(append_coordinates(x, "ends"))
        v = nn.functional.pad(v, (0, self.padding) * len(self.modes))
        z = self._truncated(cosines(v) if self.analysed else v)
        u = torch.einsum("bi...,io->bo...", torch.einsum("bi...,io->bo...", z, self.fc1).sin(), self.fc2)
        return without_channel(inverse_cosines(u) if self.synthesised else u)

    def _truncated(self, z: Tensor) -> Tensor:
        shape = tuple(z.shape[2:])
        if any(m > n for m, n in zip(self.modes, shape, strict=True)):
            raise ValueError(f"the released T1 has {self.modes} modes, more than the grid {shape} with its padding")
        if not len(self.layers):
            return z
        block = self.layers(z[(..., *(slice(m) for m in self.modes))])
        low = nn.functional.pad(block, [p for m, n in zip(self.modes, shape, strict=True) for p in (n - m, 0)][::-1])
        return low + self._high(shape).to(z) * z if self.keep_high else low

    def _high(self, shape: tuple[int, ...]) -> Tensor:
        """Where coefficients are kept: beyond m on the last axis, and in the rows m, ..., n - m - 1."""
        m, rows = self.modes[-1], torch.arange(shape[0])
        last = torch.arange(shape[-1]) >= m
        return last if len(shape) == 1 else last | ((rows >= m) & (rows < shape[0] - m))[:, None]


class ReleasedT1Fourier(nn.Module):
    """T1_1d with transform 'dft': complex weights on the half spectrum; sigma is a complex sine or tanh."""

    def __init__(self, modes: int, o: Mapping[str, Any]):
        super().__init__()
        width, line = o["width"], Domain.unit(1, "periodic")
        self.modes, self.in_channels, self.padding = modes, o["in_channels"], o["padding"]
        self.residual, self.keep_high, self.synthesised = o["residual"], o["keep_high"], o["perform_inverse"]
        self.sine = o["act"] == "sin"
        self.lift = Pointwise(Space(line, o["in_channels"] + 1), Space(line, width), bias=True)
        self.R = nn.ParameterList(torch.zeros(width, width, modes, 2) for _ in range(o["nlayers"]))
        self.X = nn.ParameterList(torch.zeros(modes, modes, width, 2) for _ in range(o["nlayers"]))
        self.fc1 = nn.Parameter(torch.zeros(width, HEAD, 2))
        self.fc2 = nn.Parameter(torch.zeros(HEAD, o["out_channels"], 2))

    def forward(self, x: Tensor) -> Tensor:
        v = self.lift(append_coordinates(with_channel(x, self.in_channels, 1), "ends"))
        z = torch.fft.rfft(nn.functional.pad(v, (0, self.padding)), norm="ortho")
        if self.modes > z.shape[-1]:
            raise ValueError(
                f"the released T1 has {self.modes} modes, the grid carries only {z.shape[-1]}: use a finer one"
            )
        for R, X in zip(self.R, self.X, strict=True):
            low, high = z[..., : self.modes], z[..., self.modes :]
            w = torch.einsum("bik,iok->bok", low, torch.view_as_complex(R))
            w = torch.einsum("bcl,lkc->bck", w.sin() if self.sine else w.tanh(), torch.view_as_complex(X))
            z = torch.cat([low + w if self.residual else w, high if self.keep_high else torch.zeros_like(high)], -1)
        u = torch.einsum("bik,io->bok", z, torch.view_as_complex(self.fc1)).sin()
        u = torch.einsum("bik,io->bok", u, torch.view_as_complex(self.fc2))
        return without_channel(torch.fft.irfft(u, norm="ortho") if self.synthesised else u)


def sine_or_gelu(act: str) -> nn.Module:
    """As released: every name but 'sin' means gelu."""
    return Sine() if act == "sin" else nn.GELU()


def cosines(u: Tensor) -> Tensor:
    """The orthonormal DCT-II of all trailing axes: coefficients in our orthonormal basis times sqrt(points)."""
    return _basis(u).analyse(u) * math.sqrt(math.prod(u.shape[2:]))


def inverse_cosines(c: Tensor) -> Tensor:
    return _basis(c).synthesise(c, tuple(c.shape[2:])) / math.sqrt(math.prod(c.shape[2:]))


def _basis(u: Tensor) -> Basis:
    return Basis(Domain.unit(u.ndim - 2, "neumann"))


def with_channel(x: Tensor, in_channels: int, dimension: int) -> Tensor:
    """As released: one input channel has no axis of its own (it may have one in two dimensions); grids are square."""
    x = x[:, None] if in_channels == 1 and x.ndim == dimension + 1 else x
    if x.ndim != dimension + 2 or x.shape[1] != in_channels or len(set(x.shape[2:])) > 1:
        raise ValueError(
            f"the released T1 takes {in_channels} channels on {'a square grid' if dimension == 2 else 'a line'}, "
            f"got {tuple(x.shape)}"
        )
    return x


def without_channel(u: Tensor) -> Tensor:
    return u.squeeze(1)


def _foreign(key: str) -> str:
    key = re.sub(r"^lift\.", "fc0.", key)
    key = re.sub(r"^layers\.(\d+)\.R\.weight$", r"layers.\1.ch_mixing_1", key)
    key = re.sub(r"^R\.(\d+)$", r"layers.\1.ch_mixing_1", key)
    key = re.sub(r"^X\.(\d+)$", r"layers.\1.spatial_mixing_1", key)
    return re.sub(
        r"^layers\.(\d+)\.X\.axes\.(\d+)$", lambda found: f"layers.{found[1]}.spatial_mixing_{int(found[2]) + 1}", key
    )
