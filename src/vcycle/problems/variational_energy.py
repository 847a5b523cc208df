"""The discrete energy of variational problems, its gradient and its Newton steps, on tensors."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators import Compact, elements_multigrid, gradient, gradient_transposed
from vcycle.problems.base import Field, PerSample
from vcycle.problems.minimum import Cycle, Energy, in_double
from vcycle.solvers import ConvexEnergy, newton, solve_elliptic
from vcycle.spaces import Domain, Grid, finite, per_sample, resample

Values = Float[Tensor, "..."]
INNER_ITERATIONS = 300
COARSEST = 16  # cells per axis of the first grid of the nested iteration
NESTED = 1e-2  # its residuals: less would be lost in the discretisation error
ROUGH = 0.3  # residuals of what is near the minimum: its energy is then the least to a few per cent
FLOOR = 1e-6  # of the diffusivity in Newton's matrices, relative to its largest: where it is less, steps know no bound


class Integrand(ABC):
    """l(s) of s = |grad u|^2 and V(u), with the derivatives that the equation has."""

    @abstractmethod
    def density(self, s: Values) -> Values:
        """l(s)."""

    @abstractmethod
    def diffusivity(self, s: Values) -> Values:
        """D(s) = 2 l'(s)."""

    @abstractmethod
    def diffusivity_slope(self, s: Values) -> Values:
        """D'(s)."""

    def potential(self, u: Values) -> Values:
        """V(u), 0 if not given."""
        return torch.zeros_like(u)

    def reaction(self, u: Values) -> Values:
        """V'(u)."""
        return torch.zeros_like(u)

    def reaction_slope(self, u: Values) -> Values:
        """V''(u)."""
        return torch.zeros_like(u)


class DirichletEnergy(Integrand):
    """l(s) = s / 2 and, unless V says otherwise, Poisson's equation."""

    def density(self, s: Values) -> Values:
        return s / 2

    def diffusivity(self, s: Values) -> Values:
        return torch.ones_like(s)

    def diffusivity_slope(self, s: Values) -> Values:
        return torch.zeros_like(s)


@dataclass(frozen=True)
class DiscreteEnergy(ConvexEnergy, Energy):
    """E(u) = sum over cells of |cell| (a mean of l(|grad u|^2) over subcells + c V(u) - f u), u = g on Dirichlet faces.

    a, c, f, g are (b, 1, *grid) in double precision. g is read on the faces only, to which it is continued linearly.
    """

    integrand: Integrand
    domain: Domain
    a: Field
    c: Field
    f: Field
    g: Field

    @property
    def cell(self) -> float:
        return math.prod(Grid(self.domain, tuple(self.f.shape[2:])).spacing)

    def slopes(self, u: Field) -> Values:
        """grad u in the subcells, (b, 1, d, 2^d, *grid)."""
        inner = gradient(u - self.g, self.domain)
        return inner if self.outer is None else inner + self.outer

    @cached_property
    def outer(self) -> Values | None:
        """grad g in the subcells, None where g = 0."""
        return gradient(self.g, natural(self.domain)) if bool(self.g.any()) else None

    def value(self, u: Field) -> PerSample:
        s = self.slopes(u).square().sum(2)
        gradients = self.a * self.integrand.density(s).mean(2)
        return self.cell * (gradients + self.c * self.integrand.potential(u) - self.f * u).flatten(1).sum(1)

    def gradient(self, u: Field) -> Field:
        flux = gradient_transposed(self.flux(self.slopes(u)), self.domain) / 2**self.domain.dimension
        return self.cell * (flux + self.c * self.integrand.reaction(u) - self.f)

    def flux(self, p: Values) -> Values:
        """a D(|p|^2) p."""
        return self.a[:, :, None, None] * self.integrand.diffusivity(p.square().sum(2, keepdim=True)) * p

    def residual(self, u: Field, gradient: Field) -> PerSample:
        size = math.sqrt(self.cell)
        flux_size = (
            size * _norm(self.flux(self.slopes(u))) / 2 ** (self.domain.dimension / 2) / min(self.domain.lengths)
        )
        others = size * (_norm(self.f) + _norm(self.c * self.integrand.reaction(u)))
        scale = flux_size + others
        return _norm(gradient) / size / torch.where(scale == 0, 1.0, scale)

    def tangent(self, u: Field) -> tuple[Values, Field]:
        """E'' at u as moduli (b, 1, d, d, 2^d, *grid) and reaction; where slopes leave almost none, a little more."""
        p = self.slopes(u)
        s = p.square().sum(2)
        along = 2 * self.integrand.diffusivity_slope(s)
        C = along[:, :, None, None] * p[:, :, :, None] * p[:, :, None, :]
        D = self.integrand.diffusivity(s)
        floor = FLOOR * per_sample(D.flatten(1).amax(1), D)
        C.diagonal(dim1=2, dim2=3).add_(D.clamp_min(floor)[..., None])
        return self.a[:, :, None, None, None] * C, self.c * self.integrand.reaction_slope(u)

    def step(self, u: Field, gradient: Field, accuracy: float) -> Field:
        moduli, reaction = self.tangent(u)
        return self._solve(moduli, reaction, -gradient, accuracy)

    @cached_property
    def curvature(self) -> Compact:
        moduli, reaction = self._tangent
        return Compact.assemble(moduli[:, :, :, None], self.domain, reaction)

    @property
    def cycles(self) -> int:
        """One: E'' changes by more than it leaves."""
        return 1

    def cycle(self, careful: bool = False) -> Cycle:
        del careful
        moduli, reaction = self._tangent
        return in_double(elements_multigrid(self.curvature, moduli[:, :, :, None], reaction))

    @cached_property
    def _tangent(self) -> tuple[Values, Field]:
        return self.tangent(self.near)

    def size(self) -> PerSample:
        """That between 0 and `near`, whose energy is hardly more than the least."""
        zero = torch.zeros_like(self.f)
        return (2 * (self.value(zero) - self.value(self.near))).sqrt()

    @cached_property
    def near(self) -> Field:
        return newton(self, self.start(), tolerance=ROUGH).value

    def start(self) -> Field:
        """The minimum on cells twice as long, interpolated; on the coarsest grid the solution for D = 1 and V = 0."""
        shape = tuple(self.f.shape[2:])
        if min(shape) >= 2 * COARSEST:
            coarse = self.coarsen()
            there = newton(coarse, coarse.start(), tolerance=NESTED).value - coarse.g
            return self.g + resample(there, self.domain, shape)
        b, d = self.f.shape[0], self.domain.dimension
        one = torch.eye(d, dtype=torch.float64, device=self.f.device).view(1, 1, d, d, 1, *(1,) * d)
        moduli = (self.a[:, :, None, None, None] * one).expand(b, 1, d, d, 1, *shape)
        linear = replace(self, integrand=DirichletEnergy(), c=torch.zeros_like(self.c))
        return self.g + self._solve(moduli, torch.zeros_like(self.f), -linear.gradient(self.g), 1e-6)

    def start_from(self, v: Field) -> Field:
        """v where it has less energy than `start`, else `start`."""
        own = self.start()
        v = torch.where(per_sample(finite(v), v), v, own).double()
        return torch.where(per_sample(self.value(v) < self.value(own), v), v, own)

    def coarsen(self) -> "DiscreteEnergy":
        """E on cells twice as long, with the averages of the data."""
        shape = tuple((n + 1) // 2 for n in self.f.shape[2:])
        a, c, f, g = (resample(field, self.domain, shape) for field in (self.a, self.c, self.f, self.g))
        return replace(self, a=a, c=c, f=f, g=g)

    def _solve(self, moduli: Values, reaction: Field, load: Field, accuracy: float) -> Field:
        """moduli (b, 1, d, d, q, *grid)."""
        C = moduli[:, :, :, None]
        return solve_elliptic(C, self.domain, load, reaction=reaction, tolerance=accuracy, most=INNER_ITERATIONS).value


def natural(domain: Domain) -> Domain:
    """The domain with Neumann faces for Dirichlet ones: functions of any values on them."""
    return Domain(
        domain.extents, [tuple("neumann" if f == "dirichlet" else f for f in faces) for faces in domain.boundary]
    )


def _norm(u: Values) -> PerSample:
    return u.flatten(1).norm(dim=1)
