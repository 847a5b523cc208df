"""Incompressible flow between walls one of which slides: projection on a staggered grid."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.staggered import (
    Staggered,
    divergence,
    from_centres,
    minus_laplacian,
    pressure_gradient,
    to_centres,
)
from vcycle.operators.staggered_flow import convection
from vcycle.solvers.fast_poisson import FastPoisson
from vcycle.spaces import Domain, Grid

Cells = Float[Tensor, "b 1 *grid"]
PerSample = Float[Tensor, " b"]
# What the third-order Runge-Kutta scheme is stable for along the imaginary and the negative real axis.
WAVES, DECAY = 1.7, 2.5
SAFETY = 0.96
FIRST = 1.2  # ratio of the first two steps: those that viscosity allows are mostly smaller than accuracy asks for


def halved(steps: int, halvings: int) -> int:
    """How many steps there are after so many halvings, the first of which makes them `FIRST` times as many.

    >>> [halved(100, k) for k in range(4)]
    [100, 120, 240, 480]
    """
    return math.ceil(FIRST * steps) * 2 ** (halvings - 1) if halvings else steps


@dataclass(frozen=True)
class DrivenCavity:
    """u_t = P(-div(u u) + nu lap u) with P the projection to fields without divergence; the lid slides at speed U(x).

    lid        U in the uppermost layer of faces below the lid, (b, n_1 - 1, ...)
    viscosity  nu of every sample
    """

    domain: Domain
    shape: tuple[int, ...]
    lid: Float[Tensor, "..."]
    viscosity: PerSample

    @property
    def spacing(self) -> tuple[float, ...]:
        return Grid(self.domain, self.shape).spacing

    def at_rest(self) -> Staggered:
        """u = 0."""
        shapes = [tuple(n - (a == k) for a, n in enumerate(self.shape)) for k in range(len(self.shape))]
        return tuple(self.viscosity.new_zeros(len(self.viscosity), *shape) for shape in shapes)

    def acceleration(self, u: Staggered) -> tuple[Staggered, Cells]:
        """u_t, and the pressure of mean zero that keeps div u = 0."""
        nu = self.viscosity.view(-1, *(1,) * len(self.shape))
        drag, carried = minus_laplacian(u, self.spacing), convection(u, self.spacing)
        rate = [-b - nu * a for a, b in zip(drag, carried, strict=True)]
        # The wall beyond the last cell is half a cell away: the reflection of u there is 2 U - u.
        rate[0][..., -1] += (2 * nu / self.spacing[-1] ** 2)[..., 0] * self.lid
        return self.projected(tuple(rate))

    def projected(self, u: Staggered) -> tuple[Staggered, Cells]:
        """u - grad p without divergence, and the p of mean zero."""
        p = self.poisson(-divergence(u, self.spacing))
        return tuple(a - b for a, b in zip(u, pressure_gradient(p, self.spacing), strict=True)), p

    @cached_property
    def poisson(self) -> FastPoisson:
        """The equation of the pressure."""
        return FastPoisson(Domain(self.domain.extents, "neumann"), self.shape, self.lid.device)

    def steps(self, interval: float) -> int:
        """How many steps of the third-order scheme are stable and resolve the motion of the lid."""
        speed, nu = float(self.lid.abs().max()), float(self.viscosity.max())
        waves = sum(speed / h for h in self.spacing) / WAVES
        decay = sum(4 * nu / h**2 for h in self.spacing) / DECAY
        return max(1, math.ceil(interval * (waves + decay) / SAFETY))

    def march(
        self, interval: float, snapshots: int, halvings: int, given: Float[Tensor, "b d *grid"] | None = None
    ) -> Float[Tensor, "b s *grid"]:
        """(u, v, ..., p) at the centres after `interval`, 2 `interval`, ..., from velocities there or from rest."""
        steps = halved(self.steps(interval), halvings)
        dt, states = interval / steps, []
        u = self.at_rest() if given is None else self.projected(from_centres(given)[0])[0]
        for _ in range(snapshots):
            for _ in range(steps):
                u = self._step(u, dt)
            states += [to_centres(u), self.acceleration(u)[1]]
        return torch.cat(states, 1)

    def _step(self, u: Staggered, dt: float) -> Staggered:
        """The scheme of solvers.finite_volumes.ssp_rk3, component by component."""
        first = tuple(a + dt * b for a, b in zip(u, self.acceleration(u)[0], strict=True))
        rate = self.acceleration(first)[0]
        second = tuple(0.75 * a + 0.25 * (b + dt * c) for a, b, c in zip(u, first, rate, strict=True))
        rate = self.acceleration(second)[0]
        return tuple(a / 3 + (b + dt * c) * (2 / 3) for a, b, c in zip(u, second, rate, strict=True))
