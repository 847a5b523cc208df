"""Flow around a cylinder, and the street of vortices behind it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.problems.channel_flow import INLET, PLATES
from vcycle.problems.obstructed_channel import ObstructedChannel, Range, between
from vcycle.spaces import Domain, generator

SHAPE_STREAM = 12


@dataclass(frozen=True)
class Cylinder(ObstructedChannel):
    """u_t + div(u u) + grad p = nu lap u, div u = 0 around a cylinder of diameter D between two plates, with u = 0 on
    all of them, u = (U(y), 0) at the inlet and du/dx = dv/dx = 0, p = 0 at the outlet.

    diameters  D is uniform between these
    shift      the cylinder's centre is uniform in the square of this half-width around the origin
    profile    'uniform': one speed at the inlet; 'random': a random positive profile that is 0 at the plates
    speeds     the mean of U, or the mean that it has without its randomness, is uniform between these
    reynolds   that mean times D / nu is log-uniform between these

    Inputs: 'inlet', U as a function of y, 'viscosity', nu as a constant function, and 'solid', 1 in the cells of the
    cylinder and 0 in others. The density is 1: another one multiplies p and divides the dynamic viscosity. Outputs u,
    v and p at cell centres, 0 in the cylinder, by projection on a staggered grid, on which div u = 0 holds exactly.

    Behaviour: the flow starts as a potential's and separates; behind the cylinder two vortices grow, steady below
    Re = 45 or so, shed in turn above it, with the Strouhal number f D / U = 0.16 to 0.2 without plates and up to
    0.3 close to them. The street takes some 30 D / U to form. Good values: Re = 20 to 200, 64 x 64 cells or more, the
    time 5 while the vortices grow, 50 for the street. The cylinder consists of cells: first order in their size.
    Sources: P128; Schaefer and Turek, Benchmark computations of laminar flow around a cylinder, 1996.
    """

    name: ClassVar[str] = "cylinder"
    title: ClassVar[str] = "flow around a cylinder"
    equation: ClassVar[str] = "u_t + div(u u) + grad p = nu lap u, div u = 0, u = 0 on a cylinder"
    case_stream: ClassVar[int] = 11

    domain: Domain = Domain([(-3.0, 8.0), (-3.0, 3.0)], [INLET, PLATES])
    time: float = 5.0
    diameters: Range = (0.8, 1.2)
    shift: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_range("diameters", self.diameters)
        if not self.shift >= 0:
            raise ValueError(f"cylinder needs a shift of at least 0, got {self.shift}")
        for axis in range(2):
            reach = self.shift + self.diameters[1] / 2
            self.require_room(axis, -reach, reach)

    def size(self, seed: int, index: int) -> float:
        return between(self.diameters, float(generator(seed, index, SHAPE_STREAM).random()))

    def obstacle(self, points: Float[Tensor, "*grid 2"], seed: int, index: int) -> Bool[Tensor, "*grid"]:
        centre = torch.from_numpy(generator(seed, index, SHAPE_STREAM).uniform(-1, 1, 3)[1:]) * self.shift
        return (points - centre).norm(dim=-1) < self.size(seed, index) / 2
