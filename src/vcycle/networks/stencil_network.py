"""Networks of stencils, which belong to one grid."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts, check_field
from vcycle.networks.coordinates import CoordinatesOrAuto, append_coordinates, coordinates_on
from vcycle.networks.reference_grid import reference_grid
from vcycle.spaces import Domain, Placement


class StencilNetwork(nn.Module, ABC):
    """A network N of stencils: N itself on the grid it belongs to, P N R on every other.

    A stencil knows no mesh width: on half of it the same numbers are another operator, and errors explode. P N R
    (networks.ReferenceGrid) is one operator on functions, the same at every resolution, so on a finer grid only the
    difference between the two discretisations adds to the error. Of a logarithm R takes the geometric mean, which is
    the right coefficient of a cell that two materials share, in two dimensions and on average over their shapes.

    coordinates  of the unit box as further inputs: 'cells' (centres), 'corners' (k / n), 'ends' (k / (n - 1)) or None.
                 'auto': cells on a box that is periodic along every axis. Elsewhere the stencils see the boundary;
                 there nothing tells a place, and the network would commute with translations: no answer of it could
                 depend on a force that stands still
    resolution   the grid that N belongs to, one number of points or one per axis, best the training grid; half of it
                 is cheaper, and the network sees averages while it trains. None: N acts on whatever grid there is
    placement    what the values of a field stand for, as in ReferenceGrid
    """

    def __init__(
        self,
        in_channels: int,
        domain: Domain | None,
        coordinates: CoordinatesOrAuto | None,
        resolution: int | Sequence[int] | None,
        placement: Placement,
    ):
        super().__init__()
        check_counts(type(self).__name__, in_channels=in_channels)
        self.in_channels, self.domain = in_channels, Domain.unit(2) if domain is None else domain
        self.coordinates = coordinates_on(self.domain, coordinates)
        self.seen_channels = in_channels + (0 if self.coordinates is None else self.domain.dimension)
        self.reference = None if resolution is None else reference_grid(resolution, self.domain, placement)

    @abstractmethod
    def on_grid(self, x: Float[Tensor, "b j *grid"]) -> Float[Tensor, "b o *grid"]:
        """N of the inputs with their coordinates, `seen_channels` in all."""

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field(type(self).__name__, x, self.in_channels, self.domain)
        own = append_coordinates(x if self.reference is None else self.reference.restrict(x), self.coordinates)
        if self.domain.dimension == 2:
            # Convolutions take half the time with the channels of a point side by side; in 3-D nothing changes.
            own = own.to(memory_format=torch.channels_last)
        u = self.on_grid(own).contiguous()
        return u if self.reference is None else self.reference.prolong(u, tuple(x.shape[2:]))
