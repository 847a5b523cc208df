"""U-Net: convolutions on a hierarchy of grids."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts
from vcycle.networks.convolution_block import BlockChain, LayerOptions
from vcycle.networks.coordinates import CoordinatesOrAuto
from vcycle.networks.norms import NormName
from vcycle.networks.stencil_network import StencilNetwork
from vcycle.operators import Pointwise, Prolongation, Stencil, count_parameters
from vcycle.spaces import Domain, Ghost, Placement, Space


class UNet(StencilNetwork):
    """v_1 = L x;   e_l = D_l v_l,  v_{l+1} = R_l e_l  going down;   u_l = C_l(e_l, P_l u_{l+1})  going up;   u = Q u_1.

    D_l and C_l are chains of residual blocks v -> L_2 L_1 v + S v with stencil neurons L = sigma(N(K v)); at the
    coarsest level u_l = D_l v_l. R_l and P_l are a learned restriction and prolongation, L a stencil and Q a matrix.
    All stencils see beyond the boundary what the conditions of the domain say, at every level.

    width                channels at the finest level
    levels               number of grids, each with half the points of the finer one (rounded up). The coarsest should
                         have about 4 points per axis: 4 levels at 32, 5 at 64
    multiplier           level l = 1, 2, ... has int(width multiplier^(l-1)) channels
    blocks               residual blocks in every chain
    activation, norm     sigma, and the normalisation N before it: 'layer' keeps points and samples apart
    coordinates          of the unit box as further inputs: 'cells', 'corners', 'ends', None, or 'auto': cells where
                         every axis is periodic (StencilNetwork)
    ghost                'zeros', 'circular', 'reflect' or 'replicate' at every face instead of the domain's conditions
    resolution           the grid that the stencils belong to, best the training grid (StencilNetwork)
    placement            what the values of `resolution` stand for: 'cell' or 'vertex'

    Any number of points will do: what P_l has too many of beside e_l is cut off. On a periodic domain whose axes are
    divisible by 2^(levels - 1) the network commutes with shifts by as many points, unless it sees coordinates. After
    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation" (2015).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 16,
        levels: int = 5,
        multiplier: float = 1.5,
        blocks: int = 1,
        activation: str = "gelu",
        norm: NormName | None = "layer",
        coordinates: CoordinatesOrAuto | None = "auto",
        ghost: Ghost | None = None,
        resolution: int | Sequence[int] | None = None,
        placement: Placement = "cell",
        domain: Domain | None = None,
    ):
        super().__init__(in_channels, domain, coordinates, resolution, placement)
        check_counts("UNet", blocks=blocks)
        self.levels, self.ghost = levels, ghost
        self.widths = tuple(int(width * multiplier**level) for level in range(levels))
        if min(self.widths, default=0) < 1:
            raise ValueError(
                f"width {width}, multiplier {multiplier} and {levels} levels give {self.widths} channels per level: "
                "expected one level or more with 1 channel or more on each"
            )
        options = LayerOptions(activation, norm, ghost)
        spaces = [Space(self.domain, n) for n in self.widths]
        self.lift = Stencil(Space(self.domain, self.seen_channels), spaces[0], ghost=ghost, bias=True)
        self.D = nn.ModuleList(BlockChain(space, space, space, blocks, options, True) for space in spaces)
        self.R, self.P, self.C = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for fine, coarse in itertools.pairwise(spaces):
            both = Space(self.domain, 2 * fine.channels)
            self.R.append(Stencil(fine, coarse, stride=2, ghost=ghost, bias=True))
            self.P.append(Prolongation(coarse, fine, ghost=ghost))
            self.C.append(BlockChain(both, both, fine, blocks, options, True))
        self.project = Pointwise(spaces[0], Space(self.domain, out_channels), bias=True)

    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        self._require_points(tuple(x.shape[2:]))
        v = self.lift(x)
        down = []
        for D, R in zip(self.D, self.R, strict=False):
            e = D(v, v)
            down.append(e)
            v = R(e)
        u = self.D[-1](v, v)
        for P, C in zip(reversed(self.P), reversed(self.C), strict=True):
            e = down.pop()
            both = torch.cat([e, _cropped(P(u), e)], 1)
            u = C(both, both)
        return self.project(u)

    def _require_points(self, shape: tuple[int, ...]) -> None:
        # A reflection needs a neighbour on every grid; all other ghosts can be had from a single point.
        least = 2 ** (self.levels - 1) + 1 if self.ghost == "reflect" else 1
        if min(shape) < least:
            raise ValueError(
                f"UNet with {self.levels} levels and ghost={self.ghost!r} needs {least} points or more along every "
                f"axis, got {shape}: take fewer levels or a finer grid"
            )

    def extra_repr(self) -> str:
        return f"channels={self.widths}, {count_parameters(self)} parameters"


def _cropped(u: Float[Tensor, "b c *fine"], like: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
    for dim, n in enumerate(like.shape[2:], start=2):
        u = u.narrow(dim, 0, n)
    return u
