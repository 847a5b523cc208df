"""Stokes flow: a viscous fluid in a box, stirred by a force or by a moving lid."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from vcycle.operators.staggered import (
    Staggered,
    divergence,
    from_centres,
    inverse_laplacian,
    minus_laplacian,
    pressure_gradient,
    to_centres,
    to_faces,
)
from vcycle.problems.base import Field, Inputs, PerSample
from vcycle.problems.exact import Function, points_of, slopes, wave
from vcycle.problems.minimum import Iterated, Steps
from vcycle.problems.stationary import Stationary
from vcycle.problems.stokes_matrices import solve_stokes_assembled
from vcycle.solvers import Solution, solve_stokes
from vcycle.solvers.stokes import centred
from vcycle.spaces import L2, Domain, GaussianField, Grid

PRESSURE_STEPS, LOWEST = 6, 0.15


@dataclass(frozen=True)
class Stokes(Stationary, Iterated):
    """-nu lap u + grad p = f, div u = 0 in a box with walls (Dirichlet faces), where u = 0, and p has mean zero.

    viscosity  nu; it scales u by 1 / nu if a force drives the flow, p by nu if the lid does
    drive      'force': f a random field with components f_x, f_y; 'lid': f = 0, and the high wall of the last axis
               moves along the first with a random speed that falls to 0 at its edges

    Behaviour: linear; the part of f that is a gradient is balanced by p, the rest drives vortices, damped by 1 / |k|^2.
    A lid drives one large vortex and Moffatt's ever weaker ones in the lower corners.
    Outputs: u, v (, w) and p at cell centres. Inside, velocities live on faces (marker and cell), so that div u = 0
    holds exactly in every cell; at the centres stand the means of opposite faces. From these the faces are known again
    (operators.staggered.from_centres), which is how the residual is taken: for a v that is no such mean it is large.
    Second order. Good values: nu = 0.01, for which u and p are of one size. Periodic and open faces are refused.

    >>> problem = Stokes()
    >>> f = problem.sample((16, 16), seed=0, indices=range(2))
    >>> bool(problem.solve(f).converged.all())
    True
    """

    name: ClassVar[str] = "stokes"
    title: ClassVar[str] = "Stokes flow"
    equation: ClassVar[str] = "-nu lap u + grad p = f, div u = 0"

    viscosity: float = 0.01
    drive: Literal["force", "lid"] = "force"

    def __post_init__(self) -> None:
        if self.domain.dimension == 1 or any(face != "dirichlet" for faces in self.domain.boundary for face in faces):
            raise ValueError(f"stokes needs walls on all sides in two or three dimensions, got {self.domain}")
        if not 0 < self.viscosity < math.inf:
            raise ValueError(f"stokes needs a positive viscosity, got {self.viscosity:g}")

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("lid",) if self.drive == "lid" else tuple(f"f_{axis}" for axis in "xyz"[: self.domain.dimension])

    @property
    def output_names(self) -> tuple[str, ...]:
        return (*"uvw"[: self.domain.dimension], "p")

    @property
    def tolerance(self) -> float:
        """Of the divergence; the faces, known from their means, carry its rounding."""
        return 1e-9

    def sample(self, shape: tuple[int, ...], seed: int, indices: Iterable[int]) -> Inputs:
        indices = list(indices)
        if self.drive == "force":
            field = GaussianField(self.domain)
            return torch.cat([field.standard(shape, seed, indices, stream=s) for s in range(self.domain.dimension)], 1)
        wall = Domain(self.domain.extents[:-1])
        speed = 1 + 0.5 * GaussianField(wall).standard(shape[:-1], seed, indices)
        for x, (low, high) in zip(Grid(wall, shape[:-1]).mesh(), wall.extents, strict=True):
            s = (x - low) / (high - low)
            speed = speed * 16 * s**2 * (1 - s) ** 2
        return speed[..., None].expand(*speed.shape, shape[-1]).contiguous()

    def solve(
        self, inputs: Inputs, tolerance: float | None = None, most: int = 200, start: Field | None = None
    ) -> Solution:
        f, limit = self._forces(inputs), self.tolerance if tolerance is None else tolerance
        # The iteration measures the divergence in another norm than the residual does: a margin of 10.
        pressure = None if start is None else start[:, self.domain.dimension :]
        shape = tuple(inputs.shape[2:])
        flow = solve_stokes(f, self.viscosity, self.domain, shape, limit / 10, most, pressure)
        u = torch.cat([to_centres(flow.velocity), flow.pressure], 1)
        residual = self.residual(inputs, u)
        converged = residual <= limit
        reached = f"{flow.iterations} iterations on the pressure to relative residuals of {float(residual.max()):.1e}"
        return Solution(u, residual, flow.iterations, converged, reached)

    def residual(self, inputs: Inputs, u: Field) -> PerSample:
        """The largest of ||f + nu lap u - grad p|| / ||f||, ||div u|| / ||grad u|| and the flow through the last walls.

        f includes what the lid does to the cells below it.
        """
        f, spacing = self._forces(inputs), Grid(self.domain, tuple(inputs.shape[2:])).spacing
        d = self.domain.dimension
        velocity, left = from_centres(u[:, :d].double())
        drag, push = minus_laplacian(velocity, spacing), pressure_gradient(u[:, d:].double(), spacing)
        rest = tuple(a - self.viscosity * b - c for a, b, c in zip(f, drag, push, strict=True))
        dissipation = torch.stack([(a * b).flatten(1).sum(1) for a, b in zip(velocity, drag, strict=True)]).sum(0)
        through = divergence(velocity, spacing).flatten(1).norm(dim=1)
        parts = [(rest, _size(f)), (left, _size(velocity))]
        shares = [_size(part) / torch.where(size == 0, 1.0, size) for part, size in parts]
        flow = dissipation.clamp_min(0).sqrt()
        return torch.stack([*shares, through / torch.where(flow == 0, 1.0, flow)]).amax(0)

    def discrete(self, inputs: Inputs) -> "PressureSteps":
        return PressureSteps(self._forces(inputs), self.viscosity, Grid(self.domain, tuple(inputs.shape[2:])).spacing)

    def verify(self, inputs: Inputs, u: Field) -> PerSample:
        shape = tuple(inputs.shape[2:])
        columns = [component.numpy(force=True) for component in self._forces(inputs)]
        forces = [list(sample) for sample in zip(*columns, strict=True)]
        flows = solve_stokes_assembled(forces, shape, self.domain.lengths, self.viscosity)
        velocity = tuple(torch.from_numpy(np.stack(parts)) for parts in zip(*(flow[0] for flow in flows), strict=True))
        pressure = torch.from_numpy(np.stack([flow[1] for flow in flows]))[:, None]
        other = torch.cat([to_centres(velocity), pressure], 1).to(u.device)
        return L2(self.domain).relative(u.double(), other)

    def _forces(self, inputs: Inputs) -> Staggered:
        """f on the inner faces; a lid at speed U pulls those below it with 2 nu U / h^2."""
        self.require_channels(inputs)
        inputs, d = inputs.double(), self.domain.dimension
        if self.drive == "force":
            return to_faces(inputs)
        speed, h = to_faces(inputs)[0], Grid(self.domain, tuple(inputs.shape[2:])).spacing[-1]
        forces = tuple(torch.zeros_like(v) for v in to_faces(inputs.expand(-1, d, *inputs.shape[2:])))
        forces[0][..., -1] = 2 * self.viscosity / h**2 * speed[..., -1]
        return forces

    def manufactured(self, shape: tuple[int, ...]) -> tuple[Function, Function]:
        """A smooth force and the exact (u, v (, w), p) on a grid, for measuring the order of convergence (2)."""
        points, d = points_of(Grid(self.domain, shape)), self.domain.dimension
        psi, p = torch.ones_like(points[0]), wave(points, self.domain)
        for axis, (x, (low, high)) in enumerate(zip(points, self.domain.extents, strict=True)):
            s = (x - low) / (high - low)
            psi = psi * 16 * s**2 * (1 - s) ** 2 * torch.exp(s * axis / 2)
        first = slopes(psi[None], points)[0]
        u = torch.stack([first[1], -first[0], *(torch.zeros_like(psi) + 0 * psi for _ in range(d - 2))])
        forces = []
        for k, component in enumerate(u):
            force = slopes(p[None], points)[0, k]
            for axis, x in enumerate(points):
                slope = torch.autograd.grad(component.sum(), x, create_graph=True)[0]
                force = force - self.viscosity * torch.autograd.grad(slope.sum(), points[axis], retain_graph=True)[0]
            forces.append(force)
        return torch.stack(forces).detach()[None], torch.cat([u, p[None]]).detach()[None]


@dataclass(frozen=True)
class PressureSteps(Steps):
    """Uzawa's method for cell values (u, p): Chebyshev's steps p <- p - w nu div u, with u = (-nu lap)^-1 (f - grad p).

    Only the pressure of a start counts. The steps damp errors whose eigenvalues of the Schur complement are between
    LOWEST and 1: all in boxes that are about as long as wide, where six leave a few per cent.
    """

    f: Staggered
    viscosity: float
    spacing: tuple[float, ...]

    def correction(self, u: Field) -> Field:
        p, middle, radius = u[:, len(self.spacing) :], (1 + LOWEST) / 2, (1 - LOWEST) / 2
        rho, step = radius / middle, self._inflow(p) / middle
        p = p + step
        for _ in range(PRESSURE_STEPS - 1):
            before, rho = rho, 1 / (2 * middle / radius - rho)
            step = rho * before * step + 2 * rho / radius * self._inflow(p)
            p = p + step
        return torch.cat([to_centres(self._velocity(p)), centred(p)], 1) - u

    @property
    def near(self) -> Field:
        """The correction of 0."""
        centres = to_centres(self.f)
        return self.correction(torch.zeros_like(torch.cat([centres, centres[:, :1]], 1)))

    def _inflow(self, p: Field) -> Field:
        """-nu div u."""
        return -self.viscosity * divergence(self._velocity(p), self.spacing)

    def _velocity(self, p: Field) -> Staggered:
        rest = tuple(a - b for a, b in zip(self.f, pressure_gradient(p, self.spacing), strict=True))
        return tuple(v / self.viscosity for v in inverse_laplacian(rest, self.spacing))


def _size(u: Staggered) -> PerSample:
    return torch.stack([v.square().flatten(1).sum(1) for v in u]).sum(0).sqrt()
