"""MgNO: neurons whose weights are learned V-cycles."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.checks import check_field
from vcycle.networks.cycle import Cycle
from vcycle.networks.neuron import Neurons
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Domain, Ghost, Space

DEFAULT_LEVELS = 5


class MgNO(nn.Module):
    """u_{l+1} = sigma(W_l u_l + B_l u_l), l = 1, ..., depth; then a 1 x 1 matrix to the output channels.

    Every W_l is a learned V-cycle (operators.Multigrid) on all channels at once: linear, and global in the domain as
    soon as its coarsest grid is small. B_l is a 1 x 1 matrix with bias. There is no lifting, no coordinates: boundary
    conditions enter through what the stencils see beyond the boundary.

    width, depth   channels and number of layers
    levels         grids of a V-cycle, 5 unless given by `iterations`; every axis must be divisible by 2^(levels - 1).
                   The coarsest grid should have about 4 points per axis: 4 levels at 32, 5 at 64, 6 at 128
    iterations     (pre, post) smoothing steps per level, fine to coarse; (1, 0) each and (2, 0) on the coarsest
    residual       restrict f - A u, as textbooks do, instead of f, as P0 was released
    ghost          'zeros', 'circular', 'reflect' or 'replicate' at every face instead of the domain's conditions

    On a periodic domain the network commutes with shifts by 2^(levels - 1) points. One input channel, depth 4,
    width 24 and 6 levels make 572 661 parameters. Source: P0.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 24,
        depth: int = 4,
        levels: int | None = None,
        iterations: Sequence[Sequence[int]] | None = None,
        activation: str = "gelu",
        residual: bool = False,
        ghost: Ghost | None = None,
        domain: Domain | None = None,
    ):
        super().__init__()
        self.domain = Domain.unit(2) if domain is None else domain
        cycle = Cycle(_iterations(levels, iterations), residual, ghost, ghost)
        self.in_channels, self.width, self.levels = in_channels, width, len(cycle.iterations)
        hidden, layers = Space(self.domain, width), []
        for layer in range(depth):
            source = Space(self.domain, in_channels) if layer == 0 else hidden
            bias = Pointwise(source, hidden, bias=True)
            layers.append(Neurons(cycle.build(source, hidden), bias, activation_named(activation, hidden)))
        self.neurons = nn.Sequential(*layers)
        self.head = Pointwise(hidden, Space(self.domain, out_channels))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("MgNO", x, self.in_channels, self.domain)
        divisor = 2 ** (self.levels - 1)
        if any(n % divisor for n in x.shape[2:]):
            raise ValueError(
                f"MgNO with {self.levels} levels halves the grid {self.levels - 1} times, so every axis must be "
                f"divisible by {divisor}, got {tuple(x.shape[2:])}: take fewer levels or another resolution"
            )
        if self.domain.dimension == 2:
            # A step takes 1.2 times as long in the default layout (width 24, 64 x 64, batch 8); in 3-D nothing changes.
            x = x.to(memory_format=torch.channels_last)
        return self.head(self.neurons(x)).contiguous()

    def extra_repr(self) -> str:
        return f"levels={self.levels}, width={self.width}, {count_parameters(self)} parameters"


def _iterations(levels: int | None, iterations: Sequence[Sequence[int]] | None) -> tuple[tuple[int, int], ...]:
    if iterations is None:
        levels = DEFAULT_LEVELS if levels is None else levels
        return ((1, 0),) * (levels - 1) + ((2, 0),)
    if levels is not None and levels != len(iterations):
        raise ValueError(f"got levels={levels} but iterations for {len(iterations)} levels: give one of the two")
    if any(len(steps) != 2 for steps in iterations):
        raise ValueError(f"iterations are pairs (pre, post), one per level, got {list(iterations)}")
    return tuple((pre, post) for pre, post in iterations)
