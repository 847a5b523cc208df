"""The compressible Euler equations: an ideal gas with shocks, contacts and sound."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from vcycle.problems.base import Field
from vcycle.problems.conservation_law import ConservationLaw
from vcycle.problems.euler_fluxes import EulerFluxes
from vcycle.problems.patches import patches
from vcycle.solvers.gas import Gas


@dataclass(frozen=True)
class Euler(ConservationLaw):
    """rho_t + div(rho u) = 0, (rho u)_t + div(rho u u) + grad p = 0, E_t + div((E + p) u) = 0 with
    E = p / (gamma - 1) + rho |u|^2 / 2, for density, velocity and pressure.

    gamma      ratio of specific heats
    flow       'smooth': rho and p are exp(amplitude z), u = mach z, of independent Gaussian fields z of variance one;
               'riemann': the box is cut once along every axis, at a random place in its middle third, and in every
               part the state is constant: log rho and log p uniform within +- amplitude, u within +- mach
    amplitude  of the logarithms
    mach       size of the velocity, in units of the speed at which p = rho

    Behaviour: sound steepens into shocks after a time of about length / (mach + amplitude); contacts and shear layers
    are carried along and smeared by the grid alone. Mass, energy and, without walls, momentum are kept to rounding.
    Good values: gamma = 1.4, T = 0.2 on the unit square at 64 x 64; `refinement` 2 to 4 where shocks have to be sharp.
    HLLC fluxes in cells with limited slopes (solvers.finite_volumes); see ConservationLaw.
    """

    name: ClassVar[str] = "euler"
    title: ClassVar[str] = "compressible flow"
    equation: ClassVar[str] = "rho_t + div(rho u) = 0, (rho u)_t + div(rho u u) + grad p = 0, E_t + div((E + p) u) = 0"

    gamma: float = 1.4
    flow: Literal["smooth", "riemann"] = "smooth"
    amplitude: float = 0.3
    mach: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.gamma > 1:
            raise ValueError(f"euler needs gamma > 1, got {self.gamma}")

    @property
    def components(self) -> tuple[str, ...]:
        return ("rho", *("u", "v")[: self.domain.dimension], "p")

    @property
    def system(self) -> Gas:
        return Gas(self.gamma, self.riemann)

    @property
    def second_fluxes(self) -> EulerFluxes:
        return EulerFluxes(self.gamma, self.riemann)

    def initial(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Field:
        indices = list(indices)
        if self.flow == "smooth":
            streams = range(self.domain.dimension + 2)
            z = torch.cat([self.noise(shape, seed, indices, stream) for stream in streams], 1)
        else:
            z = patches(self.domain, shape, seed, indices, self.domain.dimension + 2)
        rho, u, p = z[:, :1], z[:, 1:-1], z[:, -1:]
        return torch.cat([torch.exp(self.amplitude * rho), self.mach * u, torch.exp(self.amplitude * p)], 1)
