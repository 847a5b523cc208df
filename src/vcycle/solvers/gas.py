"""The Euler equations of an ideal gas: fluxes and the HLLC approximate Riemann solver."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.solvers.hyperbolic import HyperbolicSystem, State, extreme_speeds, rusanov
from vcycle.spaces import finite

RiemannSolver = Literal["hllc", "rusanov"]


@dataclass(frozen=True)
class Gas(HyperbolicSystem):
    """w = (rho, u, p), q = (rho, rho u, E), E = p / (gamma - 1) + rho |u|^2 / 2; F = (rho u, rho u u + p, (E + p) u).

    HLLC keeps contacts and shear layers at rest exactly. Source: Toro, Riemann solvers and numerical methods, ch. 10.
    """

    gamma: float = 1.4
    riemann: RiemannSolver = "hllc"

    def conserved(self, w: State) -> State:
        rho, u, p = w[:, :1], w[:, 1:-1], w[:, -1:]
        return torch.cat([rho, rho * u, p / (self.gamma - 1) + rho * u.square().sum(1, keepdim=True) / 2], 1)

    def primitive(self, q: State) -> State:
        rho, momentum, energy = q[:, :1], q[:, 1:-1], q[:, -1:]
        u = momentum / rho
        return torch.cat([rho, u, (self.gamma - 1) * (energy - (momentum * u).sum(1, keepdim=True) / 2)], 1)

    def signal_speed(self, w: State) -> Float[Tensor, "b *grid"]:
        return (self.gamma * w[:, -1] / w[:, 0]).sqrt()

    def admissible(self, w: State) -> Bool[Tensor, " b"]:
        return ((w[:, 0] > 0) & (w[:, -1] > 0)).flatten(1).all(1) & finite(w)

    def interface(self, left: State, right: State, axis: int) -> tuple[State, State]:
        u, c = (left[:, axis + 1], right[:, axis + 1]), (self.signal_speed(left), self.signal_speed(right))
        if self.riemann == "rusanov":
            q = self.conserved(left), self.conserved(right)
            speed = torch.maximum(u[0].abs() + c[0], u[1].abs() + c[1])
            flux = rusanov(self._flux(left, q[0], axis), self._flux(right, q[1], axis), q[1] - q[0], speed)
            return flux, flux
        slow, fast = extreme_speeds(u, c)
        mass = left[:, 0] * (slow - u[0]), right[:, 0] * (fast - u[1])
        contact = (right[:, -1] - left[:, -1] + u[0] * mass[0] - u[1] * mass[1]) / (mass[0] - mass[1])
        # What the face sees lies between the contact and the wave on one side of it.
        from_left = contact >= 0
        w, wave = torch.where(from_left[:, None], left, right), torch.where(from_left, slow, fast)
        reach = torch.where(from_left, slow.clamp_max(0), fast.clamp_min(0))[:, None]
        q = self.conserved(w)
        flux = self._flux(w, q, axis) + reach * (self._star(w, q, wave, contact, axis) - q)
        return flux, flux

    def _flux(self, w: State, q: State, axis: int) -> State:
        u, p = w[:, axis + 1], w[:, -1]
        f = q * u[:, None]
        f[:, axis + 1] += p
        f[:, -1] += p * u
        return f

    def _star(self, w: State, q: State, wave: Tensor, contact: Tensor, axis: int) -> State:
        """q between the contact and a wave."""
        rho, u, p = w[:, 0], w[:, axis + 1], w[:, -1]
        squeezed = (wave - u) / (wave - contact)
        star = q * squeezed[:, None]
        star[:, axis + 1] = rho * squeezed * contact
        star[:, -1] += rho * squeezed * (contact - u) * (contact + p / (rho * (wave - u)))
        return star
