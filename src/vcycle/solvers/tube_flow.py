"""Incompressible flow through a tube between two plates: projection on a staggered grid with an inlet and an outlet."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.staggered import from_means, means, walled
from vcycle.solvers.driven_cavity import DECAY, SAFETY, WAVES, halved
from vcycle.solvers.fast_poisson import FastPoisson
from vcycle.solvers.finite_volumes import ssp_rk3
from vcycle.spaces import Domain, Grid

Faces = Float[Tensor, "b n m"]
PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class TubeFlow:
    """u_t = P(-div(u u) + nu lap u); u given at the low face of x, p = 0 and du/dx = dv/dx = 0 at the high one.

    Unknown are u on the n - 1 inner faces across x and on the outlet, whose momentum is that of half a cell, and v on
    the m - 1 inner faces across y. They stand side by side in one tensor, (b, n (2 m - 1)).

    inlet      u in the m cells of the low face, (b, m)
    viscosity  nu of every sample
    """

    domain: Domain
    shape: tuple[int, int]
    inlet: Float[Tensor, "b m"]
    viscosity: PerSample

    def start(self) -> Float[Tensor, "b _"]:
        """The inlet's profile all along the tube: without divergence."""
        n, m = self.shape
        u = self.inlet[:, None].expand(-1, n, m)
        return joined(u, torch.zeros_like(u[:, :, 1:]))

    def acceleration(self, state: Float[Tensor, "b _"]) -> tuple[Float[Tensor, "b _"], Float[Tensor, "b 1 n m"]]:
        """The change of the unknowns, and the pressure."""
        return self.projected(self.momentum(state), torch.zeros_like(self.inlet))

    def momentum(self, state: Float[Tensor, "b _"]) -> Float[Tensor, "b _"]:
        """-div(u u) + nu lap u."""
        (h, k), (u, v), nu = self.spacing, self.parts(state), self.viscosity.view(-1, 1, 1)
        whole = torch.cat([self.inlet[:, None], u], 1)
        strain = torch.cat([whole.diff(dim=1) / h, torch.zeros_like(u[:, :1])], 1)
        along = torch.cat([((whole[:, 1:] + whole[:, :-1]) / 2).square(), u[:, -1:].square()], 1)
        # v half a cell up and down of the faces across x: at the outlet as in the last cell.
        v_at = torch.cat([(v[:, 1:] + v[:, :-1]) / 2, v[:, -1:]], 1)
        corner = walled(v_at * (u[:, :, 1:] + u[:, :, :-1]) / 2, 2)
        u_rate = (nu * strain - along).diff(dim=1) / self.sizes - corner.diff(dim=2) / k
        u_rate = u_rate + nu * torch.cat([-u[:, :, :1], u, -u[:, :, -1:]], 2).diff(n=2, dim=2) / k**2
        # At the inlet v = 0, at the outlet it does not change any more.
        beyond = torch.cat([-v[:, :1], v, v[:, -1:]], 1)
        u_at = (whole[:, :, 1:] + whole[:, :, :-1]) / 2
        high = walled(v, 2)
        v_up = means(high, 2)
        carried = u_at * torch.cat([torch.zeros_like(v[:, :1]), (v[:, 1:] + v[:, :-1]) / 2, v[:, -1:]], 1)
        v_rate = nu * (beyond.diff(n=2, dim=1) / h**2 + high.diff(n=2, dim=2) / k**2)
        v_rate = v_rate - carried.diff(dim=1) / h - v_up.square().diff(dim=2) / k
        return joined(u_rate, v_rate)

    def projected(
        self, field: Float[Tensor, "b _"], inlet: Float[Tensor, "b m"]
    ) -> tuple[Float[Tensor, "b _"], Float[Tensor, "b 1 n m"]]:
        """field - grad p without divergence, and p; `inlet` flows in."""
        p = self.poisson(-self.divergence(field, inlet)[:, None])
        return field - self.gradient(p), p

    def gradient(self, p: Float[Tensor, "b 1 n m"]) -> Float[Tensor, "b _"]:
        """grad p at the unknowns, p = 0 on the outlet, half a cell from the last centre."""
        h, k = self.spacing
        slope = torch.cat([p[:, 0], -p[:, 0, -1:]], 1).diff(dim=1) / h
        slope[:, -1] = -2 * p[:, 0, -1] / h
        return joined(slope, p[:, 0].diff(dim=2) / k)

    def divergence(self, state: Float[Tensor, "b _"], inlet: Float[Tensor, "b m"]) -> Faces:
        """div u in every cell, `inlet` flows in."""
        (h, k), (u, v) = self.spacing, self.parts(state)
        return torch.cat([inlet[:, None], u], 1).diff(dim=1) / h + walled(v, 2).diff(dim=2) / k

    def steps(self, interval: float) -> int:
        """How many steps of the third-order scheme are stable and resolve the flow."""
        nu = float(self.viscosity.max())
        waves = sum(self.fastest / h for h in self.spacing) / WAVES
        decay = sum(4 * nu / h**2 for h in self.spacing) / DECAY
        return max(1, math.ceil(interval * (waves + decay) / SAFETY))

    def march(
        self, interval: float, snapshots: int, halvings: int, given: Float[Tensor, "b 2 n m"] | None = None
    ) -> Float[Tensor, "b s n m"]:
        """(u, v, p) at the centres after `interval`, 2 `interval`, ..., from velocities there or from `start`."""
        steps, out = halved(self.steps(interval), halvings), []
        state = self.start() if given is None else self.projected(self.from_centres(given), self.inlet)[0]
        for _ in range(snapshots):
            for _ in range(steps):
                state = ssp_rk3(lambda x: self.acceleration(x)[0], state, interval / steps)
            out += [self.centres(state), self.acceleration(state)[1]]
        return torch.cat(out, 1)

    def centres(self, state: Float[Tensor, "b _"]) -> Float[Tensor, "b 2 n m"]:
        """u and v at the centres, the means of opposite faces."""
        u, v = self.parts(state)
        whole, high = torch.cat([self.inlet[:, None], u], 1), walled(v, 2)
        return torch.stack([means(whole, 1), means(high, 2)], 1)

    def from_centres(self, centres: Float[Tensor, "b 2 n m"]) -> Float[Tensor, "b _"]:
        """The velocities whose `centres` these are, from the inlet and a plate on."""
        u, v = centres.unbind(1)
        return joined(from_means(u, 1, self.inlet[:, None]), from_means(v, 2)[:, :, :-1])

    @property
    def fastest(self) -> float:
        """A guess of the highest speed."""
        return 1.5 * float(self.inlet.abs().max())

    @property
    def spacing(self) -> tuple[float, ...]:
        return Grid(self.domain, self.shape).spacing

    @cached_property
    def poisson(self) -> FastPoisson:
        """The equation of the pressure."""
        sides = Domain(self.domain.extents, [("neumann", "dirichlet"), "neumann"])
        return FastPoisson(sides, self.shape, self.inlet.device)

    @cached_property
    def sizes(self) -> Float[Tensor, "n 1"]:
        """The lengths of the boxes around the unknown faces across x: at the outlet half a cell."""
        size = self.inlet.new_full((self.shape[0], 1), self.spacing[0])
        size[-1] /= 2
        return size

    def parts(self, state: Float[Tensor, "b _"]) -> tuple[Float[Tensor, "b n m"], Float[Tensor, "b n _"]]:
        """u and v on their faces."""
        n, m = self.shape
        return state[:, : n * m].unflatten(1, (n, m)), state[:, n * m :].unflatten(1, (n, m - 1))


def joined(u: Float[Tensor, "b n m"], v: Float[Tensor, "b n _"]) -> Float[Tensor, "b _"]:
    """Velocities on faces across x, then those across y."""
    return torch.cat([u.flatten(1), v.flatten(1)], 1)
