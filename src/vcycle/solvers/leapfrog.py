"""Sound in a room by leapfrog on a staggered grid: pressures in cells, velocities on faces half a step later."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import CPU, Condition, Domain, Grid

Pressure = Float[Tensor, "b 1 *grid"]
Velocity = tuple[Float[Tensor, "b 1 ..."], ...]
Along = Float[Tensor, "..."] | float  # a number per face of an axis, or one for all
COURANT = 0.9


@dataclass(frozen=True)
class Room:
    """p_t + c^2 div u = c^2 s, u_t + grad p = 0 (density 1), with p = Z c u_n at Neumann and p = 0 at Dirichlet faces.

    A velocity along axis k lives on the faces across it, those on walls included, which belong to half a cell. Between
    walls that take nothing, the sum over cells of p(t) p(t + dt) / (2 c^2) and over faces of u(t + dt/2)^2 / 2 is kept
    to rounding. Second order in space and time; stable for c dt |1 / h| <= 1. Source: Yee 1966; P113 for the setting.
    """

    domain: Domain
    shape: tuple[int, ...]
    speed: float
    impedance: float

    def steps(self, interval: float) -> int:
        """How many steps an interval takes at the Courant number 0.9."""
        rate = self.speed * math.hypot(*(1 / h for h in Grid(self.domain, self.shape).spacing))
        return math.ceil(interval * rate / COURANT)

    def at_rest(self, batch: int, device: torch.device = CPU) -> Velocity:
        """u = 0."""
        faces = [n if self.domain.periodic(axis) else n + 1 for axis, n in enumerate(self.shape)]
        shapes = [(*self.shape[:k], n, *self.shape[k + 1 :]) for k, n in enumerate(faces)]
        return tuple(torch.zeros(batch, 1, *shape, dtype=torch.float64, device=device) for shape in shapes)

    def faces(self, dt: float, device: torch.device = CPU) -> tuple[tuple[Along, Along], ...]:
        """Per axis what is kept of the velocities on faces in a step, and how a difference of pressures pushes them."""
        out: list[tuple[Along, Along]] = []
        for axis, h in enumerate(Grid(self.domain, self.shape).spacing):
            if self.domain.periodic(axis):
                out.append((1.0, dt / h))
            else:
                keep, push = (self._along(values, axis).to(device) for values in self._walls(axis, dt))
                out.append((keep, push))
        return tuple(out)

    def accelerate(self, u: Velocity, p: Pressure, faces: tuple[tuple[Along, Along], ...]) -> Velocity:
        """u half a step after p, from u half a step before it; `faces` are those of the step."""
        out = []
        for axis, (v, (keep, push)) in enumerate(zip(u, faces, strict=True)):
            dim = axis + 2
            if self.domain.periodic(axis):
                out.append(v - push * (p - p.roll(1, dim)))
                continue
            wall = torch.zeros_like(p.narrow(dim, 0, 1))
            out.append(keep * v - push * torch.cat([wall, p, wall], dim).diff(dim=dim))
        return tuple(out)

    def compress(self, p: Pressure, u: Velocity, s: Pressure, dt: float) -> Pressure:
        """p a step later."""
        out = s
        for axis, (v, h) in enumerate(zip(u, Grid(self.domain, self.shape).spacing, strict=True)):
            dim = axis + 2
            out = out - ((v.roll(-1, dim) - v) if self.domain.periodic(axis) else v.diff(dim=dim)) / h
        return p + dt * self.speed**2 * out

    def energy(self, before: Pressure, u: Velocity, after: Pressure) -> Float[Tensor, " b"]:
        """At the time of u, between two pressures."""
        total = (before * after).flatten(1).sum(1) / (2 * self.speed**2)
        for axis, v in enumerate(u):
            weight = v.new_ones(v.shape[axis + 2])
            if not self.domain.periodic(axis):
                weight[[0, -1]] = 0.5
            total = total + (v.square() * self._along(weight, axis)).flatten(1).sum(1) / 2
        return total * math.prod(Grid(self.domain, self.shape).spacing)

    def listen(
        self, source: Callable[[float], Pressure], interval: float, snapshots: int
    ) -> Float[Tensor, "b s *grid"]:
        """p after `interval`, 2 `interval`, ... of a source s(t), from silence; s acts at the times of u."""
        steps, heard = self.steps(interval), []
        dt, p = interval / steps, torch.zeros_like(source(0.0))
        u, faces = self.at_rest(len(p), p.device), self.faces(dt, p.device)
        for n in range(steps * snapshots):
            u = self.accelerate(u, p, faces)
            p = self.compress(p, u, source((n + 0.5) * dt), dt)
            if (n + 1) % steps == 0:
                heard.append(p)
        return torch.cat(heard, 1)

    def _walls(self, axis: int, dt: float) -> tuple[Float[Tensor, " f"], Float[Tensor, " f"]]:
        """What is kept of the velocities on faces, and how a difference of pressures pushes them.

        At a wall u_t = -(p_wall - p) / (h / 2), p_wall = Z c u with u the mean of before and after.
        """
        n, h = self.shape[axis], Grid(self.domain, self.shape).spacing[axis]
        keep, push = torch.ones(n + 1, dtype=torch.float64), torch.full((n + 1,), dt / h, dtype=torch.float64)
        for end, face in zip((0, n), self.domain.boundary[axis], strict=True):
            loss = self._impedance(face) * self.speed * dt / h
            keep[end] = 0.0 if math.isinf(loss) else (1 - loss) / (1 + loss)
            push[end] = 2 * dt / h / (1 + loss)
        return keep, push

    def _impedance(self, face: Condition) -> float:
        return 0.0 if face == "dirichlet" else self.impedance

    def _along(self, values: Float[Tensor, " f"], axis: int) -> Float[Tensor, "..."]:
        return values.view(-1, *(1,) * (len(self.shape) - 1 - axis))
