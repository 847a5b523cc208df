"""MultiONet: a DeepONet that adds up products of several layers."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.boundary_factor import boundary_factor
from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.hidden_layers import HiddenLayers
from vcycle.networks.point_functions import PointFeatures, point_list
from vcycle.networks.sensors import Sensors
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Space


class MultiONet(nn.Module):
    """u_o(x) = c_o + 1/L sum_l sum_p w_olp b^l_p(a) t^l_p(x), over the last L layers and p = 1, ..., width.

    b^l and t^l are the hidden layers of two perceptrons of the same depth: the branch, of the averages of a over
    `sensors` cells per axis, and the trunk, of the point x.

    width, depth       units and number of the hidden layers of both
    layers             L, how many of them are used; with one and w = 1 this is the DeepONet that ends with its last
                       hidden layers
    start              the value that all w start from; 0 starts from u = 0, as P111 was released
    sensors, branch_activation, trunk_activation, features, gated, mask, coordinates     as in DeepONet

    One output channel and w_lp the same for all p is P111; w for each p lets output channels share the layers. The same
    function comes out at every resolution, and at any set of points (`at`). Source: P111.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 256,
        depth: int = 4,
        layers: int = 3,
        start: float = 0.1,
        sensors: int = 16,
        branch_activation: str = "gelu",
        trunk_activation: str = "sine",
        features: int = 4,
        gated: bool = False,
        mask: bool = False,
        coordinates: Literal["cells", "corners", "ends"] = "cells",
        domain: Domain | None = None,
    ):
        super().__init__()
        check_counts("MultiONet", in_channels=in_channels, out_channels=out_channels, depth=depth)
        if not 1 <= layers <= depth:
            raise ValueError(
                f"MultiONet uses the last 1 to {depth} of its {depth} layers, got layers={layers}: give a number in "
                "between, or more depth"
            )
        self.domain = Domain.unit(2) if domain is None else domain
        self.in_channels, self.layers, self.mask, self.coordinates = in_channels, layers, mask, coordinates
        self.sensors = Sensors(self.domain, in_channels, sensors)
        self.features = PointFeatures(self.domain, features)
        vector, point = Space(self.domain, self.sensors.count), Space(self.domain, self.features.count)
        self.branch = HiddenLayers(vector, width, depth, branch_activation, gated=gated)
        self.trunk = HiddenLayers(point, width, depth, trunk_activation, gated=gated)
        self.weight = nn.Parameter(torch.full((out_channels, layers, width), float(start)))
        self.offset = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("MultiONet", x, self.in_channels, self.domain)
        return self._expand(x, append_coordinates(x.new_empty(1, 0, *x.shape[2:]), self.coordinates))

    def at(self, x: Float[Tensor, "b i *grid"], points: Float[Tensor, "n d"]) -> Float[Tensor, "b o n"]:
        """u at any points of the domain."""
        check_field("MultiONet", x, self.in_channels, self.domain)
        return self._expand(x, point_list(points, self.domain)).flatten(2)

    def _expand(self, x: Tensor, points: Tensor) -> Tensor:
        b = torch.stack(self.branch(self.sensors(x))[-self.layers :], 1).flatten(2)
        t = torch.stack(self.trunk(self.features(points))[-self.layers :], 1)[0]
        sums = torch.einsum("blp,olp,lp...->bo...", b, self.weight / self.layers, t)
        u = self.offset.view(-1, *(1,) * self.domain.dimension) + sums
        return boundary_factor(points, self.domain) * u if self.mask else u

    def extra_repr(self) -> str:
        return f"layers={self.layers}, {count_parameters(self)} parameters"
