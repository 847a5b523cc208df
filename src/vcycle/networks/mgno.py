"""MgNO: neurons whose weights are learned multigrid cycles."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.networks.boundary_factor import boundary_factor
from vcycle.networks.checks import check_counts
from vcycle.networks.coordinates import CoordinatesOrAuto, append_coordinates
from vcycle.networks.cycle import Cycle, Sharing, Start
from vcycle.networks.neuron import Neurons
from vcycle.networks.reference_grid import ReferenceGrid
from vcycle.networks.stencil_network import StencilNetwork
from vcycle.operators import Pointwise, count_parameters
from vcycle.spaces import Domain, Ghost, Placement, Space

DEFAULT_LEVELS = 5
COARSEST = 4  # points per axis, which two steps of a 3-point stencil see at once


class MgNO(StencilNetwork):
    """u_{l+1} = sigma(W_l u_l + B_l u_l), l = 1, ..., depth; then a 1 x 1 matrix to the output channels.

    Every W_l is a learned V- or W-cycle (operators.Multigrid) on all channels at once: linear, and global in the domain
    as soon as its coarsest grid is small. B_l is a 1 x 1 matrix with bias. There is no lifting:
    boundary conditions enter through what the stencils see beyond the boundary.

    width, depth   channels and number of layers
    levels         grids of a cycle; each has half the points of the one above, rounded up, so every size will do. The
                   coarsest should have about 4 points per axis: 4 levels at 32, 5 at 64, 6 at 128. Unless given, also
                   by `iterations`: as many as `resolution` needs for that, or 5
    iterations     (pre, post) smoothing steps per level, fine to coarse; (1, 0) each and (2, 0) on the coarsest
    residual       restrict f - A u, as textbooks do, instead of f, as P0 was released
    start          coarse grids begin with 'iterate', Pi u (P0), or with 'zero', as in textbooks
    gamma          corrections from each coarser grid: 1 is a V-cycle, 2 a W-cycle
    shared         'steps': one S and one A per level; 'levels': one S, A, R, Pi and P per cycle; None: each its own
    ghost          'zeros', 'circular', 'reflect' or 'replicate' at every face instead of the domain's conditions
    coordinates    of the unit box as further inputs: 'cells', 'corners', 'ends', None, or 'auto': cells where every
                   axis is periodic (StencilNetwork)
    resolution     the grid that the stencils belong to, best the training grid (StencilNetwork)
    exact_boundary multiply the output by a function that vanishes on Dirichlet faces (boundary_factor). The solution
                   vanishes there for any weights if outputs are scaled without a shift
    placement      'cell' or 'vertex': what the values of `resolution` and `exact_boundary` stand for

    With shared='levels', residual=True, start='zero' and the right numbers a cycle is the textbook solver of
    Poisson's equation. On a periodic domain the network commutes with shifts by 2^(levels - 1) points, if that divides
    the grid. One input channel, depth 4, width 24 and 6 levels make 572 661 parameters. Source: P0.
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
        start: Start = "iterate",
        gamma: int = 1,
        shared: Sharing | None = None,
        ghost: Ghost | None = None,
        coordinates: CoordinatesOrAuto | None = "auto",
        resolution: int | Sequence[int] | None = None,
        exact_boundary: bool = False,
        placement: Placement = "cell",
        domain: Domain | None = None,
    ):
        super().__init__(in_channels, domain, coordinates, resolution, placement)
        check_counts("MgNO", depth=depth, levels=levels, gamma=gamma)
        steps = _iterations(levels, iterations, self.reference)
        cycle = Cycle(steps, residual, start, gamma, shared, ghost=ghost, prolongation_ghost=ghost)
        self.width, self.levels, self.ghost = width, len(steps), ghost
        self.exact_boundary, self.placement = exact_boundary, placement
        hidden, layers = Space(self.domain, width, placement), []
        for layer in range(depth):
            source = Space(self.domain, self.seen_channels, placement) if layer == 0 else hidden
            bias = Pointwise(source, hidden, bias=True)
            layers.append(Neurons(cycle.build(source, hidden), bias, activation_named(activation, hidden)))
        self.neurons = nn.Sequential(*layers)
        self.head = Pointwise(hidden, Space(self.domain, out_channels, placement))

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        u = super().forward(x)
        if self.exact_boundary:
            points = append_coordinates(u[:1, :0], "cells" if self.placement == "cell" else "ends")
            u = boundary_factor(points, self.domain) * u
        return u

    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        self._check_points(tuple(x.shape[2:]))
        return self.head(self.neurons(x))

    def _check_points(self, grid: tuple[int, ...]) -> None:
        """Every grid but the coarsest has 2 points or more, and all of them where values are reflected."""
        halvings = self.levels - 1 if self.ghost == "reflect" else self.levels - 2
        least = 2**halvings + 1 if halvings >= 0 else 1
        if any(n < least for n in grid):
            raise ValueError(
                f"MgNO with {self.levels} levels halves the grid {self.levels - 1} times, so every axis needs {least} "
                f"points or more, got {grid}: take fewer levels or a finer grid"
            )

    def extra_repr(self) -> str:
        return f"levels={self.levels}, width={self.width}, {count_parameters(self)} parameters"


def _default_levels(reference: ReferenceGrid | None) -> int:
    """As many as leave 4 to 7 points along the shortest axis of the coarsest grid."""
    return DEFAULT_LEVELS if reference is None else 1 + max(0, int(math.log2(min(reference.shape) / COARSEST)))


def _iterations(
    levels: int | None, iterations: Sequence[Sequence[int]] | None, reference: ReferenceGrid | None
) -> tuple[tuple[int, int], ...]:
    if iterations is None:
        levels = _default_levels(reference) if levels is None else levels
        return ((1, 0),) * (levels - 1) + ((2, 0),)
    if levels is not None and levels != len(iterations):
        raise ValueError(f"got levels={levels} but iterations for {len(iterations)} levels: give one of the two")
    if any(len(steps) != 2 for steps in iterations):
        raise ValueError(f"iterations are pairs (pre, post), one per level, got {list(iterations)}")
    return tuple((pre, post) for pre, post in iterations)
