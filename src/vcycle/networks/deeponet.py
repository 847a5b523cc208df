"""DeepONet: numbers that depend on the input times functions that depend on the point."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.networks.checks import check_field
from vcycle.networks.coordinates import append_coordinates
from vcycle.networks.fitted import Fitted
from vcycle.networks.hidden_layers import HiddenLayers
from vcycle.networks.point_functions import PointFunctions, point_list
from vcycle.networks.sensors import Sensors
from vcycle.networks.trunk import LearnedTrunk, PODTrunk, Trunk
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Domain, Space


class DeepONet(Fitted):
    """u(x) = t_0(x) + sum_p b_p(a) t_p(x), p = 1, ..., rank; every output channel has its own b_p and t_p.

    b = W h_depth, h_l = sigma(W_l h_{l-1} + b_l), h_0 = the averages of a over `sensors` cells per axis: the branch, a
    perceptron. t is the trunk: a perceptron of the point x with t_0 a number, or fixed functions from data.

    rank               number of functions t_p per output channel
    width              units of all hidden layers
    sensors            cells per axis over which the branch sees averages of the input
    branch_depth, trunk_depth             hidden layers
    branch_activation, trunk_activation   sigma, by name
    trunk              'learned', or 'pod': the mean and the first `rank` principal components of the outputs, which
                       `fit` takes from data
    features           Fourier features: cosines and sines of the point with 1, ..., features half waves per axis (full
                       waves where periodic), besides its coordinates
    gated              h_l <- h_l U + (1 - h_l) V in branch and trunk, U and V layers of their own: 'modified MLP'
    mask               t_0 and t_p times a function that is zero on Dirichlet faces, so that u is (a learned trunk, and
                       outputs that are scaled, not shifted)
    coordinates        where the points of a grid are: 'cells' (centres), 'corners' (k / n) or 'ends' (k / (n - 1))

    All images lie in one space of dimension `rank`, whatever the input: an operator whose images are not close to such
    a space (transport, moving fronts) needs many functions. The same function comes out at every resolution, and with
    a learned trunk at any set of points (`at`); on periodic axes a learned trunk is periodic. Source: P113, P304.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        rank: int = 128,
        width: int = 256,
        sensors: int = 16,
        branch_depth: int = 3,
        branch_activation: str = "gelu",
        trunk: Literal["learned", "pod"] = "learned",
        trunk_depth: int = 3,
        trunk_activation: str = "sine",
        features: int = 4,
        gated: bool = False,
        mask: bool = False,
        coordinates: Literal["cells", "corners", "ends"] = "cells",
        domain: Domain | None = None,
    ):
        super().__init__()
        self.domain = Domain.unit(2) if domain is None else domain
        self.in_channels, self.rank, self.coordinates = in_channels, rank, coordinates
        self.sensors = Sensors(self.domain, in_channels, sensors)
        vector = Space(self.domain, self.sensors.count)
        self.branch = HiddenLayers(vector, width, branch_depth, branch_activation, gated=gated)
        self.head = Pointwise(self.branch.target, Space(self.domain, out_channels * rank), bias=True)
        if trunk == "pod" and mask:
            raise ValueError("a POD trunk has the boundary values of its data and takes no mask: set mask=False")
        if trunk == "pod":
            self.trunk: Trunk = PODTrunk(self.domain, out_channels, rank)
        elif trunk == "learned":
            functions = PointFunctions(
                self.domain,
                out_channels * rank,
                width=width,
                depth=trunk_depth,
                activation=trunk_activation,
                features=features,
                gated=gated,
            )
            self.trunk = LearnedTrunk(self.domain, out_channels, functions, mask=mask)
        else:
            raise ValueError(f"unknown trunk {trunk!r}: expected 'learned', or 'pod' for functions taken from data")

    @property
    def samples(self) -> int:
        return 4 * self.rank if isinstance(self.trunk, PODTrunk) else 0

    def fit(self, inputs: Float[Tensor, "b i *grid"], outputs: Float[Tensor, "b o *grid"]) -> None:
        """The functions of a POD trunk from outputs as the network should give them; a learned trunk needs none."""
        if isinstance(self.trunk, PODTrunk):
            self.trunk.fit(outputs)

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("DeepONet", x, self.in_channels, self.domain)
        points = append_coordinates(x.new_empty(1, 0, *x.shape[2:]), self.coordinates)
        return self._expand(x, points)

    def at(self, x: Float[Tensor, "b i *grid"], points: Float[Tensor, "n d"]) -> Float[Tensor, "b o n"]:
        """u at any points of the domain, for a learned trunk."""
        check_field("DeepONet", x, self.in_channels, self.domain)
        if isinstance(self.trunk, PODTrunk):
            raise ValueError("a POD trunk is known on a grid only: call the network and resample, or learn the trunk")
        return self._expand(x, point_list(points, self.domain)).flatten(2)

    def _expand(self, x: Tensor, points: Tensor) -> Tensor:
        offset, functions = self.trunk(points)
        b = self.head(self.branch(self.sensors(x))[-1]).flatten(1).unflatten(1, (-1, self.rank))
        return offset + torch.einsum("bop,op...->bo...", b, functions)

    def extra_repr(self) -> str:
        return f"rank={self.rank}, {count_parameters(self)} parameters"
