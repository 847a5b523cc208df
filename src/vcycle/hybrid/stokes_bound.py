"""Guaranteed bounds for Stokes flow between walls, for velocities that need not be free of divergence."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.bound import SAFETY, relative_bound
from vcycle.hybrid.cell_quadrature import Point, between, gauss_points, gradient_at
from vcycle.hybrid.checks import claimed
from vcycle.hybrid.equilibration import dual_norm, equilibrate
from vcycle.hybrid.flow import excess
from vcycle.hybrid.halved_cells import halved, repeated
from vcycle.spaces import Domain, FaceField, Grid, root

Values = Float[Tensor, "..."]  # what callers hand in; its shape is checked with a sentence
PerSample = Float[Tensor, " b"]


@dataclass(frozen=True)
class StokesBound:
    """An upper bound of the error of a velocity.

    value        (b,) >= ||grad(u - v)||
    least        (b,) <= ||grad u||, namely ||grad v|| - value
    flux         (b,) >= ||grad(u - w)||, w the function without divergence that is next to v
    divergence   (b,) ||div v||; value^2 = flux^2 + divergence^2 / beta^2
    field        (b, d, *points) v itself: values at the vertices of cells halved along every axis, multilinear between
    """

    value: PerSample
    least: PerSample
    flux: PerSample
    divergence: PerSample
    field: Float[Tensor, "b d *points"]

    @property
    def relative(self) -> PerSample:
        """(b,) >= ||grad(u - v)|| / ||grad u||; infinite where v says nothing about the size of u."""
        return relative_bound(self.value, self.least)


def inf_sup_bound(domain: Domain) -> float:
    """beta > 0 with beta ||p|| <= sup (p, div w) / ||grad w|| on a rectangle: sin(arctan(short / long) / 2).

    Sources: Horgan and Payne, Arch. Ration. Mech. Anal. 82, 1983; Costabel and Dauge, ibid. 217, 2015;
    docs/theory_beyond.md carries it out for rectangles.
    """
    short, long = sorted(domain.lengths)
    return math.sin(math.atan2(short, long) / 2)


def stokes_bound(
    v: Values,
    pressure: Values,
    force: Values,
    viscosity: float,
    domain: Domain,
    *,
    oscillation: Values | None = None,
) -> StokesBound:
    """||grad(u - v)||^2 <= eta^2 + ||div v||^2 / beta^2,   nu eta = ||dev(q - nu grad v)|| + h / pi ||r||,

    -nu lap u + grad p = f, div u = 0, u = 0 on the walls of a rectangle, for every q and every continuous p' with
    div q + mean(f - grad p') = 0 on cells; r = f - grad p' less this mean; dev takes the trace out.

    v            (b, 2, *grid) at cell centres; the function is the finite element through them (operators.elements)
    pressure     (b, 1, *grid), the p' through these values; it may be anything, and the nearer to p the better
    force        f constant on cells, (b, 2, *grid); if it is not, its mean, and `oscillation` its distance from the
                 mean in L2 of every cell

    The rows of q are nu grad v averaged to the faces of the halved cells, each brought to equilibrium by one fast
    transform: it holds for *any* v. Computed in double precision and differentiable in v and the pressure; the value
    includes what rounding left of the imbalance, and a relative 1e-10.
    Raises ValueError for other faces than walls, three dimensions (where no beta is proven here), and shapes that do
    not fit.
    Sources: Hannukainen, Stenberg and Vohralik, Numer. Math. 122, 2012; Linke, Comput. Methods Appl. Mech. Eng. 268,
    2014 (gradients in f must not disturb the velocity); docs/theory_beyond.md.
    """
    if domain.dimension != 2 or any(face != "dirichlet" for faces in domain.boundary for face in faces):
        raise ValueError(
            f"a bound for stokes flow is known on rectangles with walls (dirichlet faces) all around, got {domain}"
        )
    grid = tuple(v.shape[2:])
    for name, field, channels in (("v", v, 2), ("pressure", pressure, 1), ("force", force, 2)):
        if field.ndim != 4 or tuple(field.shape) != (len(v), channels, *grid):
            raise ValueError(f"{name} must have shape (batch, {channels}, *grid), got {tuple(field.shape)}")
    if not 0 < viscosity < math.inf:
        raise ValueError(f"the viscosity must be positive, got {viscosity:g}")
    field = halved(v.double(), domain)
    spacing = Grid(domain, tuple(2 * n for n in grid)).spacing
    p = halved(pressure.double(), Domain(domain.extents, "neumann"))
    push = gradient_at(p, spacing, (0.5, 0.5))  # bilinear: the mean
    rows, unbalanced = _flux(field, repeated(force.double()) - push[:, 0], viscosity, domain)
    squares = field.new_zeros(4, len(v))
    for point, weight in gauss_points(2, 2):
        slope = gradient_at(field, spacing, point)
        rest = _rows_at(rows, point) - viscosity * slope
        deviator = rest - torch.einsum("bkk...,ij->bij...", rest, torch.eye(2).to(rest)) / 2
        parts = (deviator, gradient_at(p, spacing, point) - push, torch.einsum("bii...->b...", slope), slope)
        terms = [weight * math.prod(spacing) * part.square().flatten(1).sum(1) for part in parts]
        squares = squares + torch.stack(terms)
    misfit, varying, divergence, norm = (root(total) for total in squares)
    varying = varying * max(spacing) / math.pi
    if oscillation is not None:
        varying = varying + 2 * max(spacing) / math.pi * oscillation.double().flatten(1).norm(dim=1)
    flux = (misfit + varying + unbalanced) / viscosity
    value = (flux.square() + (divergence / inf_sup_bound(domain)).square()).sqrt() * SAFETY
    return StokesBound(*claimed(value, norm - value), flux, divergence, field)


def _rows_at(rows: FaceField, point: Point) -> Float[Tensor, "b i k *cells"]:
    """q at the same point of every cell from its normal components on faces, (b, i, *faces) per axis k."""
    return torch.stack([between(q, k - 2, x) for k, (q, x) in enumerate(zip(rows, point, strict=True))], 2)


def _flux(w: Values, f: Values, viscosity: float, domain: Domain) -> tuple[FaceField, PerSample]:
    """q in equilibrium by its normal components on faces, and what rounding left of the imbalance."""
    b, d, grid = len(w), 2, tuple(f.shape[2:])
    spacing = Grid(domain, grid).spacing
    volume, flows = math.prod(spacing), []
    for k, h in enumerate(spacing):
        dim, other, n = k - d, -1 - k, grid[k]
        along = viscosity * w.diff(dim=dim) / h
        along = (along.narrow(other, 0, grid[1 - k]) + along.narrow(other, 1, grid[1 - k])) / 2
        inner = (along.narrow(dim, 0, n - 1) + along.narrow(dim, 1, n - 1)) / 2
        faces = torch.cat([along.narrow(dim, 0, 1), inner, along.narrow(dim, n - 1, 1)], dim)
        flows.append((faces * volume / h).flatten(0, 1)[:, None])
    load = (volume * f).flatten(0, 1)[:, None]
    q = equilibrate(tuple(flows), load, domain)
    left = dual_norm(excess(q, load, domain), torch.ones_like(load), None, domain).view(b, d).norm(dim=1)
    return tuple((t * h / volume).view(b, d, *t.shape[2:]) for t, h in zip(q, spacing, strict=True)), left
