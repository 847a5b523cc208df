"""Guaranteed bounds on the energy error of any approximation of -div(a grad u) = f."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.equilibration import imbalance
from vcycle.hybrid.reconstruction import at_vertices, cell_means, flux_misfit
from vcycle.hybrid.tighten import equilibrated_flux, face_product, misfit
from vcycle.operators import FiniteVolume
from vcycle.spaces import Domain, Grid

Field = Float[Tensor, "b 1 *grid"]
Values = Float[Tensor, "..."]  # what callers hand in; its shape is checked with a sentence
Form = Literal["discrete", "continuum"]
SAFETY = 1 + 1e-10


@dataclass(frozen=True)
class Bound:
    """An upper bound of an energy error, and what exactly it bounds.

    value    (b,) >= ||a^(1/2) grad(u - v)||, in the units of that norm
    least    (b,) <= ||a^(1/2) grad u||: the larger of (f, v) / ||a^(1/2) grad v|| and ||a^(1/2) grad v|| - value
    field    v itself: the cell values ('discrete') or the vertex values of the continuous function ('continuum')
    form     'discrete': u solves the finite-volume equations; 'continuum': u solves the PDE
    """

    value: Float[Tensor, " b"]
    least: Float[Tensor, " b"]
    field: Float[Tensor, "b 1 *points"]
    form: Form

    @property
    def relative(self) -> Float[Tensor, " b"]:
        """(b,) >= ||a^(1/2) grad(u - v)|| / ||a^(1/2) grad u||; infinite where v says nothing about the size of u."""
        return torch.where(self.value == 0, 0.0, torch.where(self.least > 0, self.value / self.least, torch.inf))


def energy_bound(
    v: Values,
    coefficient: Values,
    source: Values | float = 1.0,
    domain: Domain | None = None,
    *,
    form: Form = "discrete",
    tighten: int = 0,
) -> Bound:
    """||a^(1/2) grad(u - v)|| <= ||a^(-1/2) (q - a grad v)|| for every flux q with div q + f = 0 (Prager, Synge 1947).

    q is the finite-volume flux of v, brought to equilibrium by one fast transform: it holds for *any* v (a network's
    output, zero, noise). `tighten` improves the flux, not v, by that many V-cycles (hybrid.tighten).

    v, coefficient, source: (b, 1, *grid) cell values (source may be a number); `domain` is the unit box with Dirichlet
    faces if not given. a and f are constant on cells.
    form 'discrete': distance of v to the solution of the finite-volume equations.
    form 'continuum': distance of the continuous function through the a-weighted averages of v at the vertices
    (multilinear on cells, zero on Dirichlet faces) to the PDE's solution; it counts the discretisation error.

    Computed in double precision and differentiable in v; the value includes what rounding left of the imbalance, and
    a relative 1e-10 for the rounding of the sums.
    Raises ValueError for a <= 0, mismatched shapes, or a source without mean zero where no face is Dirichlet.
    """
    domain = Domain.unit(v.ndim - 2) if domain is None else domain
    a, f = checked(v, coefficient, source, domain)
    u = v.double()
    A = FiniteVolume.assemble(a, domain)
    load = f * math.prod(Grid(domain, tuple(v.shape[2:])).spacing)
    q = equilibrated_flux(u, A, load, tighten)
    rounding = imbalance(tuple(t.detach() for t in q), load, domain) / a.flatten(1).amin(1).sqrt()
    if form == "discrete":
        rest = misfit(q, u, A)
        square, norm = face_product(rest, rest, A), (u * A(u)).flatten(1).sum(1).clamp_min(0).sqrt()
        field, work = u, (load * u).flatten(1).sum(1)
    else:
        field = at_vertices(u, a, domain)
        square, nothing = flux_misfit(q, field, a, domain), tuple(torch.zeros_like(t) for t in q)
        norm, work = flux_misfit(nothing, field, a, domain).sqrt(), (load * cell_means(field)).flatten(1).sum(1)
    value = (_root(square) + rounding) * SAFETY
    least = torch.maximum(norm - value, work / torch.where(norm > 0, norm, 1.0))
    return Bound(value, least, field, form)


def _root(x: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """The square root with a finite gradient at 0."""
    return torch.where(x > 0, x, 1.0).sqrt() * (x > 0)


def checked(v: Values, coefficient: Values, source: Values | float, domain: Domain) -> tuple[Field, Field]:
    """a and f in double precision with the shape of v, or one sentence that says what does not fit."""
    if v.ndim != domain.dimension + 2 or v.shape[1] != 1:
        raise ValueError(f"v must have shape (batch, 1, *grid) with {domain.dimension} grid axes, got {tuple(v.shape)}")
    a = coefficient.double()
    if a.shape[1:] != v.shape[1:] or a.shape[0] not in (1, v.shape[0]):
        raise ValueError(f"the coefficient's shape {tuple(a.shape)} does not fit v's shape {tuple(v.shape)}")
    if not bool((a > 0).all()):
        raise ValueError(f"the coefficient must be positive everywhere, got a minimum of {float(a.min()):g}")
    a = a.expand(v.shape)
    f = torch.as_tensor(source, dtype=torch.float64, device=v.device).expand(v.shape)
    mean = f.flatten(1).mean(1)
    if domain.floating and bool((mean.abs() > 1e-9 * f.flatten(1).abs().amax(1)).any()):
        raise ValueError(
            f"no solution exists on {domain} for a source with mean {float(mean.abs().max()):.1e}: subtract its mean"
        )
    return a, f
