"""P18's released class on point clouds (thuml/Latent-Spectral-Models, LSM_Irregular_Geo.py)."""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.authors_lsm import (
    LEVELS,
    PROJECTED,
    SCRIPT,
    UNET,
    foreign_unet,
    numbers,
    published_unet,
)
from vcycle.networks.cloud_transforms import CloudToGrid, GridToCloud
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.deformation import Deformation
from vcycle.networks.renamed import Published, take
from vcycle.networks.spectral_unet import SpectralUNet
from vcycle.operators import Pointwise
from vcycle.spaces import Domain, Space

SQUARE = Domain.unit(2)
GRID = {"modes1": 12, "modes2": 12, "s1": 96, "s2": 96}
GEOMETRY = {"use_iphi": True, "use_code": True, "iphi_width": 32}
NAMES = {
    "lift": "fc0",
    "to_grid.multiplier.positive": "fftproject_in.weights1",
    "to_grid.multiplier.negative": "fftproject_in.weights2",
    "from_grid.multiplier.positive": "fftproject_out.weights1",
    "from_grid.multiplier.negative": "fftproject_out.weights2",
    "grid_bias": "convproject_in",
    "cloud_bias": "convproject_out",
    "matrix": "outc.conv",
    "inner": "fc1",
    "outer": "fc2",
}
DEFORMATION = {"features": "fc0", "code": "fc_code", "no_code": "fc_no_code"} | {
    f"layers.{2 * layer}": f"fc{layer + 1}" for layer in range(4)
}


class IrregularLSM(nn.Module):
    """v = gelu(S_in(P a) + B y),   w = U v,   u = Q(S_out w + B' x): from a point cloud to another, by way of a grid.

    a are values at points x_in, P and Q a matrix and a perceptron per point, y the points of the grid; S_in and S_out
    are Fourier layers to and from the grid (see cloud_transforms) in deformed coordinates, U a U-Net with spectral
    blocks. The deformation may depend on a code of the shape.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        modes: tuple[int, int],
        grid: tuple[int, int],
        unet: SpectralUNet,
        patch: tuple[int, ...],
        deformation: Deformation | None,
    ):
        super().__init__()
        hidden = unet.space
        width = hidden.channels
        self.patch, self.grid = patch, grid
        self.lift = nn.Linear(in_channels, width)
        self.to_grid, self.from_grid = CloudToGrid(width, modes, grid), GridToCloud(width, modes)
        self.grid_bias = Pointwise(Space(SQUARE, 2), hidden, bias=True)
        self.cloud_bias = nn.Linear(2, width)
        self.unet = unet
        self.matrix = Pointwise(hidden, hidden, bias=True)
        self.inner, self.outer = nn.Linear(width, PROJECTED), nn.Linear(PROJECTED, out_channels)
        self.deformation = deformation

    def forward(
        self,
        x: Float[Tensor, "b n i"],
        code: Float[Tensor, "b g"] | None = None,
        x_in: Float[Tensor, "b n 2"] | None = None,
        x_out: Float[Tensor, "b m 2"] | None = None,
    ) -> Float[Tensor, "b m o"]:
        """The values x at points x_in to values at x_out; either are x itself unless given."""
        x_in, x_out = x if x_in is None else x_in, x if x_out is None else x_out
        source, target = self._deformed(x_in, code), self._deformed(x_out, code)
        points = append_coordinates(x.new_zeros(1, 0, *self.grid), "ends")
        v = F.gelu(self.to_grid(self.lift(x).mT, source) + self.grid_bias(points))
        w = self.matrix(self.unet(v, self.patch))
        u = self.from_grid(w, target).mT + self.cloud_bias(x_out)
        return self.outer(F.gelu(self.inner(u)))

    def _deformed(self, x: Tensor, code: Tensor | None) -> Tensor:
        return x if self.deformation is None else self.deformation(x, code)


def lsm_irregular(name: str, options: dict[str, Any], state: Mapping[str, Any]) -> Published:
    """Model of LSM_Irregular_Geo.py with its IPHI, keys `model.*` and `iphi.*`."""
    defaults = UNET | {"in_dim": 1, "out_dim": 1} | GRID | GEOMETRY
    o = take(name, options, defaults, (*SCRIPT, "padding"))
    if o["use_code"] and not o["use_iphi"]:
        raise ValueError(f"{name}: a code is read by the deformation alone, got use_code=True with use_iphi=False")
    patch = numbers(name, "patch_size", o["patch_size"], (2,))
    grid, modes = (o["s1"], o["s2"]), (o["modes1"], o["modes2"])
    if any(n % (p * 2 ** (LEVELS - 1)) for n, p in zip(grid, patch, strict=True)):
        raise ValueError(
            f"{name}: {LEVELS} grids that halve cannot all be cut into patches of {patch} points if the first has "
            f"s1, s2 = {grid}: they must be multiples of {2 ** (LEVELS - 1)} times the patch"
        )
    unet = published_unet(name, Space(SQUARE, o["d_model"]), o)
    deformation = Deformation(o["iphi_width"], o["use_code"]) if o["use_iphi"] else None
    network = IrregularLSM(o["in_dim"], o["out_dim"], modes, grid, unet, patch, deformation)
    unused = r"iphi\..*" if deformation is None else rf"iphi\.{'fc_no_code' if o['use_code'] else 'fc_code'}\..*"
    return Published(network, _foreign, unused)


def _foreign(key: str) -> str:
    if key.startswith("unet."):
        return f"model.{foreign_unet(key.removeprefix('unet.'))}"
    names, prefix = NAMES, "model"
    if key.startswith("deformation."):
        key, names, prefix = key.removeprefix("deformation."), DEFORMATION, "iphi"
    ours = next(ours for ours in names if key == ours or key.startswith(f"{ours}."))
    return f"{prefix}.{names[ours]}{key.removeprefix(ours)}"
