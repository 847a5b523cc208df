"""Flow over a barrier on the floor of a channel."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.problems.channel_flow import INLET, PLATES
from vcycle.problems.obstructed_channel import ObstructedChannel, Range, between
from vcycle.spaces import Domain, generator

SHAPE_STREAM = 14


@dataclass(frozen=True)
class Barrier(ObstructedChannel):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 over a rectangle of height h on the lower of two plates, with u = 0
    on all of them, u = (U(y), 0) at the inlet and du/dx = dv/dx = 0, p = 0 at the outlet. One fluid fills the channel;
    water that runs below air over such a barrier, the dam of CFDBench, is `dam`.

    heights   h is uniform between these
    widths    the width of the rectangle is uniform between these; its low side stands at `position`
    profile   'uniform': one speed at the inlet; 'random': a random positive profile that is 0 at the plates
    speeds    the mean of U, or the mean that it has without its randomness, is uniform between these
    reynolds  that mean times h / nu is log-uniform between these

    Inputs: 'inlet', U as a function of y, 'viscosity', nu as a constant function, and 'solid', 1 in the cells of the
    barrier and 0 in others. The density is 1: another one multiplies p and divides the dynamic viscosity. Outputs u,
    v and p at cell centres, 0 in the barrier, by projection on a staggered grid, on which div u = 0 holds exactly.

    Behaviour: the flow starts as a potential's, is faster above the barrier and separates from its edge; behind it a
    vortex grows to several h. Good values: Re = 20 to 200 at 64 x 64 cells or more, a cell no larger than the width. At
    the edges of the barrier the pressure is infinite, and near them the order is less than 2. Source: P128.
    """

    name: ClassVar[str] = "barrier"
    title: ClassVar[str] = "flow over a barrier"
    equation: ClassVar[str] = "u_t + div(u u) + grad p = nu lap u, div u = 0, u = 0 on a barrier"
    case_stream: ClassVar[int] = 13

    domain: Domain = Domain([(-3.0, 9.0), (0.0, 4.0)], [INLET, PLATES])
    time: float = 5.0
    heights: Range = (0.8, 1.5)
    widths: Range = (0.4, 1.0)
    position: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_range("heights", self.heights)
        self.require_range("widths", self.widths)
        self.require_room(0, self.position, self.position + self.widths[1])
        if self.heights[1] >= self.domain.lengths[1]:
            raise ValueError(f"a barrier {self.heights[1]:g} high closes a channel of {self.domain.lengths[1]:g}")

    def size(self, seed: int, index: int) -> float:
        return between(self.heights, float(generator(seed, index, SHAPE_STREAM).random()))

    def obstacle(self, points: Float[Tensor, "*grid 2"], seed: int, index: int) -> Bool[Tensor, "*grid"]:
        width = between(self.widths, float(generator(seed, index, SHAPE_STREAM).random(2)[1]))
        along, above = points[..., 0] - self.position, points[..., 1] - self.domain.extents[1][0]
        return (along > 0) & (along < width) & (above < self.size(seed, index))
