"""Incompressible flow through a tube between two plates: projection on a staggered grid with an inlet and an outlet."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.driven_cavity import DECAY, SAFETY, WAVES
from vcycle.solvers.fast_poisson import solve_poisson
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
        return self._joined(u, torch.zeros_like(u[:, :, 1:]))

    def acceleration(self, state: Float[Tensor, "b _"]) -> tuple[Float[Tensor, "b _"], Float[Tensor, "b 1 n m"]]:
        """The change of the unknowns, and the pressure."""
        (h, k), (u, v), nu = self._spacing, self._parts(state), self.viscosity.view(-1, 1, 1)
        whole = torch.cat([self.inlet[:, None], u], 1)
        size = torch.full((self.shape[0], 1), h, dtype=u.dtype)  # of the boxes around the faces
        size[-1] = h / 2
        strain = torch.cat([whole.diff(dim=1) / h, torch.zeros_like(u[:, :1])], 1)
        along = torch.cat([((whole[:, 1:] + whole[:, :-1]) / 2).square(), u[:, -1:].square()], 1)
        # v half a cell up and down of the faces across x: at the outlet as in the last cell.
        v_at = torch.cat([(v[:, 1:] + v[:, :-1]) / 2, v[:, -1:]], 1)
        corner = _walled(v_at * (u[:, :, 1:] + u[:, :, :-1]) / 2)
        u_rate = (nu * strain - along).diff(dim=1) / size - corner.diff(dim=2) / k
        u_rate = u_rate + nu * torch.cat([-u[:, :, :1], u, -u[:, :, -1:]], 2).diff(n=2, dim=2) / k**2
        # At the inlet v = 0, at the outlet it does not change any more.
        beyond = torch.cat([-v[:, :1], v, v[:, -1:]], 1)
        u_at = (whole[:, :, 1:] + whole[:, :, :-1]) / 2
        v_up = (_walled(v)[:, :, 1:] + _walled(v)[:, :, :-1]) / 2
        carried = u_at * torch.cat([torch.zeros_like(v[:, :1]), (v[:, 1:] + v[:, :-1]) / 2, v[:, -1:]], 1)
        v_rate = nu * (beyond.diff(n=2, dim=1) / h**2 + _walled(v).diff(n=2, dim=2) / k**2)
        v_rate = v_rate - carried.diff(dim=1) / h - v_up.square().diff(dim=2) / k
        p = self._pressure(u_rate, v_rate)
        slope = torch.cat([p, torch.zeros_like(p[:, :1])], 1).diff(dim=1) / size
        return self._joined(u_rate - slope, v_rate - p.diff(dim=2) / k), p[:, None]

    def divergence(self, state: Float[Tensor, "b _"]) -> Faces:
        """div u in every cell."""
        u, v = self._parts(state)
        return self._outflow(torch.cat([self.inlet[:, None], u], 1), v)

    def steps(self, interval: float) -> int:
        """How many steps of the third-order scheme are stable and resolve the flow."""
        speed, nu = 1.5 * float(self.inlet.abs().max()), float(self.viscosity.max())
        waves = sum(speed / h for h in self._spacing) / WAVES
        decay = sum(4 * nu / h**2 for h in self._spacing) / DECAY
        return max(1, math.ceil(interval * (waves + decay) / SAFETY))

    def march(self, interval: float, snapshots: int, halvings: int) -> Float[Tensor, "b s n m"]:
        """(u, v, p) at the centres after `interval`, 2 `interval`, ..."""
        steps, state, out = self.steps(interval) * 2**halvings, self.start(), []
        for _ in range(snapshots):
            for _ in range(steps):
                state = ssp_rk3(lambda x: self.acceleration(x)[0], state, interval / steps)
            u, v = self._parts(state)
            whole, high = torch.cat([self.inlet[:, None], u], 1), _walled(v)
            centres = (whole[:, 1:] + whole[:, :-1]) / 2, (high[:, :, 1:] + high[:, :, :-1]) / 2
            out += [*(c[:, None] for c in centres), self.acceleration(state)[1]]
        return torch.cat(out, 1)

    @property
    def _spacing(self) -> tuple[float, ...]:
        return Grid(self.domain, self.shape).spacing

    def _pressure(self, u_rate: Tensor, v_rate: Tensor) -> Faces:
        sides = Domain(self.domain.extents, [("neumann", "dirichlet"), "neumann"])
        load = self._outflow(torch.cat([torch.zeros_like(u_rate[:, :1]), u_rate], 1), v_rate)
        return solve_poisson(-load[:, None], sides)[:, 0]

    def _outflow(self, whole: Tensor, v: Tensor) -> Tensor:
        h, k = self._spacing
        return whole.diff(dim=1) / h + _walled(v).diff(dim=2) / k

    def _parts(self, state: Tensor) -> tuple[Tensor, Tensor]:
        n, m = self.shape
        return state[:, : n * m].unflatten(1, (n, m)), state[:, n * m :].unflatten(1, (n, m - 1))

    def _joined(self, u: Tensor, v: Tensor) -> Tensor:
        return torch.cat([u.flatten(1), v.flatten(1)], 1)


def _walled(v: Float[Tensor, "b _ _"]) -> Float[Tensor, "b _ _"]:
    """With the zeros on the plates."""
    wall = torch.zeros_like(v[:, :, :1])
    return torch.cat([wall, v, wall], 2)
