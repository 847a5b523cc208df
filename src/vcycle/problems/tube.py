"""Flow into a tube: a boundary layer grows from its plates until the flow is Poiseuille's."""

from dataclasses import dataclass
from typing import ClassVar

from vcycle.problems.channel_flow import ChannelFlow


@dataclass(frozen=True)
class Tube(ChannelFlow):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 between two plates (Dirichlet faces of y), with u = 0 on them,
    u = (U(y), 0) at the inlet (the low face of x) and du/dx = dv/dx = 0, p = 0 at the outlet (the high one), from the
    state u = (U(y), 0) everywhere.

    profile   'uniform': one speed at the inlet; 'random': a random positive profile that is 0 at the plates
    speeds    the mean of U, or the mean that it has without its randomness, is uniform between these
    reynolds  that mean times the distance of the plates / nu is log-uniform between these

    Inputs: 'inlet', U as a function of y, and 'viscosity', nu as a constant function. Outputs u, v and p at cell
    centres, the velocities as means of those on the faces of a staggered grid, on which div u = 0 holds exactly.

    Behaviour: the flow forgets its inlet over a length of about 0.05 Re H and is then Poiseuille's,
    u = 6 U y (H - y) / H^2; as much flows through every section as comes in. Good values: Re = 20 to 200, tubes four
    times as long as wide, at 64 x 32. Second order inside; at a uniform inlet u jumps at the plates. Source: P128.
    """

    name: ClassVar[str] = "tube"
    title: ClassVar[str] = "tube flow"
    equation: ClassVar[str] = "u_t + div(u u) + grad p = nu lap u, div u = 0, u = (U(y), 0) at the inlet"
    case_stream: ClassVar[int] = 10
