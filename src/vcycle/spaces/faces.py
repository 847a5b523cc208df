"""Finite-volume calculus on cells: differences across faces, conductances, divergence.

A face field is a tuple with one tensor per axis. Along its own axis that tensor has n + 1 entries, the faces from
the low to the high boundary, or n where the axis is periodic (entry i is the face below cell i).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.domain import Domain
from vcycle.spaces.grid import Grid

FaceField = tuple[Float[Tensor, "..."], ...]


def difference(u: Float[Tensor, "... "], domain: Domain) -> FaceField:
    """u(behind) - u(before) across every face; outside the domain u is 0 (the Dirichlet value at the boundary face)."""
    out = []
    for axis in range(domain.dimension):
        dim = axis - domain.dimension
        if domain.periodic(axis):
            out.append(u - u.roll(1, dim))
        else:
            first, last = u.narrow(dim, 0, 1), u.narrow(dim, u.shape[dim] - 1, 1)
            out.append(torch.cat([first, u.diff(dim=dim), -last], dim))
    return tuple(out)


def divergence(flux: FaceField, domain: Domain) -> Float[Tensor, "..."]:
    """Net flow out of every cell: the sum over axes of flux(high face) - flux(low face)."""
    terms = []
    for axis, t in enumerate(flux):
        dim = axis - domain.dimension
        terms.append(t.roll(-1, dim) - t if domain.periodic(axis) else t.diff(dim=dim))
    return sum(terms[1:], terms[0])


def conductances(a: Float[Tensor, "..."], domain: Domain) -> FaceField:
    """Flow per unit difference, k = a |face| / distance, so that -div(a grad u) is -divergence(k difference(u)).

    Between cells a is the harmonic mean (the exact flux of a piecewise constant a); a Dirichlet face is half a cell
    away, a Neumann face conducts nothing.
    """
    shape = tuple(a.shape[-domain.dimension :])
    spacing = Grid(domain, shape).spacing
    volume = 1.0
    for h in spacing:
        volume *= h
    out = []
    for axis in range(domain.dimension):
        dim, scale = axis - domain.dimension, volume / spacing[axis] ** 2
        n = a.shape[dim]
        if domain.periodic(axis):
            before = a.roll(1, dim)
            out.append(scale * 2 * a * before / (a + before))
            continue
        low, high = a.narrow(dim, 0, n - 1), a.narrow(dim, 1, n - 1)
        ends = [
            (2.0 if condition == "dirichlet" else 0.0) * a.narrow(dim, cell, 1)
            for condition, cell in zip(domain.boundary[axis], (0, n - 1), strict=True)
        ]
        out.append(scale * torch.cat([ends[0], 2 * low * high / (low + high), ends[1]], dim))
    return tuple(out)


def energy(k: FaceField, u: Float[Tensor, "..."], domain: Domain) -> Float[Tensor, "..."]:
    """The integral of a |grad u|^2 as the sum over faces of k difference(u)^2; the trailing grid axes are summed."""
    axes = tuple(range(-domain.dimension, 0))
    terms = [(c * d.square()).sum(axes) for c, d in zip(k, difference(u, domain), strict=True)]
    return torch.stack(terms).sum(0)
