"""Second-order finite volumes for hyperbolic systems on boxes: MUSCL in space, strong-stability-preserving in time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.hyperbolic import HyperbolicSystem, State
from vcycle.solvers.limiters import LIMITERS
from vcycle.spaces import Domain, Grid, per_sample

Cells = Float[Tensor, "b c ..."]  # of a part of the grid, or of more than it
GHOSTS = 2
COURANT, MOST_STEPS = 0.4, 10**5


@dataclass(frozen=True)
class FiniteVolumes:
    """q_t = -sum over faces of the flux through them / h, with limited linear functions in the cells.

    Faces are periodic; Neumann faces are reflecting walls, or absorb: beyond them the last cell goes on.
    """

    system: HyperbolicSystem
    domain: Domain
    shape: tuple[int, ...]
    limiter: str = "van_leer"
    absorbing: bool = False

    def rate(self, q: State) -> State:
        """q_t."""
        w, total = self.system.slopes_of(self.system.primitive(q)), torch.zeros_like(q)
        for axis, h in enumerate(Grid(self.domain, self.shape).spacing):
            dim, n = axis + 2, self.shape[axis]
            low, high = self.ends(w, axis)
            sides = high.narrow(dim, 0, n + 1), low.narrow(dim, 1, n + 1)
            before, after = self.system.interface(*sides, axis)
            flow = before.narrow(dim, 1, n) - after.narrow(dim, 0, n)
            inner = self.system.inner(low.narrow(dim, 1, n), high.narrow(dim, 1, n), axis)
            total = total - (flow if inner is None else flow + inner) / h
        return total

    def ends(self, r: State, axis: int) -> tuple[Cells, Cells]:
        """w at the low and the high end of every cell along an axis, one ghost cell at both ends included."""
        dim, n = axis + 2, self.shape[axis]
        padded = self._with_ghosts(r, axis)
        steps = padded.diff(dim=dim)
        half = LIMITERS[self.limiter](steps.narrow(dim, 0, n + 2), steps.narrow(dim, 1, n + 2)) / 2
        centre = padded.narrow(dim, 1, n + 2)
        return self.system.from_slopes_of(centre - half), self.system.from_slopes_of(centre + half)

    def fastest(self, w: State) -> Float[Tensor, " b"]:
        """The largest of sum_i (|u_i| + c) / h_i: what a time step may not exceed the Courant number over."""
        c = self.system.signal_speed(w)
        spacing = Grid(self.domain, self.shape).spacing
        total = torch.stack([(w[:, axis + 1].abs() + c) / h for axis, h in enumerate(spacing)]).sum(0)
        return total.flatten(1).amax(1)

    def march(self, w: State, interval: float, snapshots: int, courant: float) -> Float[Tensor, "b s *grid"]:
        """w after `interval`, 2 `interval`, ... in the channels; NaN from where on a state is not admissible."""
        q, states = self.system.conserved(w), []
        for _ in range(snapshots):
            q = self._advance(q, interval, courant)
            states.append(self.system.primitive(q))
        return torch.cat(states, 1)

    def refined(self, w: State, factor: int) -> tuple["FiniteVolumes", Cells]:
        """The scheme on `factor` times as many cells per axis, and w there: limited linear, with the same averages."""
        if factor == 1:
            return self, w
        q, volumes = self.system.conserved(w), self
        for axis in range(self.domain.dimension):
            dim, n = axis + 2, q.shape[axis + 2]
            steps = volumes._with_ghosts(q, axis).narrow(dim, 1, n + 2).diff(dim=dim)
            slope = LIMITERS[self.limiter](steps.narrow(dim, 0, n), steps.narrow(dim, 1, n))
            parts = [q + ((2 * i + 1) / factor - 1) / 2 * slope for i in range(factor)]
            q = torch.stack(parts, dim + 1).flatten(dim, dim + 1)
            shape = (*volumes.shape[:axis], factor * n, *volumes.shape[axis + 1 :])
            volumes = replace(volumes, shape=shape)
        return volumes, self.system.primitive(q)

    def _advance(self, q: State, interval: float, courant: float) -> State:
        """Every sample with its own steps."""
        q, left = q.clone(), q.new_full(q.shape[:1], interval)
        for _ in range(MOST_STEPS):
            rows = (left > 0).nonzero().flatten()
            if len(rows) == 0:
                return q
            w = self.system.primitive(q[rows])
            good = self.system.admissible(w)
            if not bool(good.all()):
                q[rows[~good]], left[rows[~good]] = torch.nan, 0.0
                continue
            steps = (left[rows] * self.fastest(w) / courant).ceil().clamp_min(1)
            dt = left[rows] / steps
            q[rows] = ssp_rk3(self.rate, q[rows], per_sample(dt, w))
            left[rows] = torch.where(steps == 1, 0.0, left[rows] - dt)
        q[left > 0] = torch.nan
        return q

    def _with_ghosts(self, r: State, axis: int) -> Cells:
        dim = axis + 2
        return torch.cat([self._beyond(r, axis, False), r, self._beyond(r, axis, True)], dim)

    def _beyond(self, r: State, axis: int, high: bool) -> Cells:
        dim, n = axis + 2, r.shape[axis + 2]
        if self.domain.periodic(axis):
            return r.narrow(dim, 0 if high else n - GHOSTS, GHOSTS)
        if self.absorbing:
            last = r.narrow(dim, n - 1 if high else 0, 1)
            return torch.cat([last] * GHOSTS, dim)
        mirrored = r.narrow(dim, n - GHOSTS if high else 0, GHOSTS).flip(dim)
        mirrored[:, axis + 1] *= -1
        return mirrored


def ssp_rk3(rate: Callable[[Tensor], Tensor], q: Tensor, dt: float | Tensor) -> Tensor:
    """One step of the third-order strong-stability-preserving Runge-Kutta scheme of Shu and Osher."""
    first = q + dt * rate(q)
    second = 0.75 * q + 0.25 * (first + dt * rate(first))
    return q / 3 + (second + dt * rate(second)) * (2 / 3)
