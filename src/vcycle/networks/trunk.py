"""The functions that a DeepONet adds up: learned, or the leading modes of data."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.boundary_factor import boundary_factor
from vcycle.networks.even import evenly
from vcycle.networks.point_functions import PointFunctions
from vcycle.spaces import Domain, Grid, resample

Expansion = tuple[Float[Tensor, "o *grid"], Float[Tensor, "o p *grid"]]


class Trunk(nn.Module, ABC):
    """Offset t_0 and functions t_1, ..., t_rank for each output channel."""

    @abstractmethod
    def forward(self, points: Float[Tensor, "1 d *grid"]) -> Expansion:
        """Their values at the points of a grid, given in the unit box."""


class LearnedTrunk(Trunk):
    """t_0 = b_0, a number, and t_p(x), a perceptron of x; with `mask`, times a factor that is 0 on Dirichlet faces."""

    def __init__(self, domain: Domain, channels: int, functions: PointFunctions, *, mask: bool):
        super().__init__()
        self.domain, self.channels, self.mask = domain, channels, mask
        self.functions = functions
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, points: Float[Tensor, "1 d *grid"]) -> Expansion:
        functions = self.functions(points)[0].unflatten(0, (self.channels, -1))
        offset = self.offset.view(-1, *(1,) * self.domain.dimension).expand(-1, *points.shape[2:])
        if not self.mask:
            return offset, functions
        factor = boundary_factor(points, self.domain)[0]
        return factor * offset, factor[None] * functions


class PODTrunk(Trunk):
    """t_0 = mean of the outputs, t_p = s_p phi_p: their leading principal components in L2, with deviations s_p.

    phi_p are the first left singular vectors of the centred outputs, orthonormal in L2, and s_p^2 is the variance of
    the coefficient (u - t_0, phi_p); no other `rank` functions leave a smaller mean square error. They are buffers on
    the grid of the data and are interpolated linearly to other grids.
    """

    mean: Tensor
    functions: Tensor

    def __init__(self, domain: Domain, channels: int, rank: int):
        super().__init__()
        self.domain, self.rank = domain, rank
        nothing = (0,) * domain.dimension
        self.register_buffer("mean", torch.zeros(channels, *nothing))
        self.register_buffer("functions", torch.zeros(channels, rank, *nothing))

    def fit(self, outputs: Float[Tensor, "b o *grid"]) -> None:
        """The mean and the principal components of each channel of these outputs."""
        count, shape = outputs.shape[0], tuple(outputs.shape[2:])
        if count <= self.rank:
            raise ValueError(
                f"{count} outputs have at most {count - 1} principal components, but the rank is {self.rank}: give "
                "more samples, or a smaller rank"
            )
        u = outputs.detach().double()
        root = Grid(self.domain, shape).weights().to(u).sqrt()
        mean = u.mean(0)
        centred = ((u - mean) * root).flatten(2).movedim(1, 0)  # (o, b, points)
        _, s, modes = torch.linalg.svd(centred, full_matrices=False)
        scaled = s[:, : self.rank, None] / (count - 1) ** 0.5 * modes[:, : self.rank]
        self.mean = mean.to(self.mean)
        self.functions = (scaled.unflatten(-1, shape) / root).to(self.functions)

    def forward(self, points: Float[Tensor, "1 d *grid"]) -> Expansion:
        shape = tuple(points.shape[2:])
        if self.functions.numel() == 0:
            raise ValueError("a POD trunk has no functions before it has seen outputs: call fit(inputs, outputs) first")
        if tuple(self.mean.shape[1:]) == shape:
            return self.mean, self.functions
        # The mean vanishes on Dirichlet faces only where normalised outputs do; their differences always.
        return resample(self.mean, evenly(self.domain), shape), resample(self.functions, self.domain, shape)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        for name in ("mean", "functions"):
            if prefix + name in state_dict:
                buffer = self.get_buffer(name)
                self.register_buffer(name, buffer.new_empty(state_dict[prefix + name].shape))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
