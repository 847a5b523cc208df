"""Manufactured solutions of systems -div(flux(grad u)) = f for faces with natural conditions, by differentiation."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Grid

Points = list[Tensor]
Components = Float[Tensor, "c *grid"]
Flux = Float[Tensor, "c d *grid"]
Function = Float[Tensor, "1 _ *grid"]


def points_of(grid: Grid) -> Points:
    """The coordinates of the grid's points, ready to be differentiated with respect to."""
    return [x.clone().requires_grad_() for x in grid.mesh()]


def exact_solution(points: Sequence[Tensor], domain: Domain, channels: int = 1) -> Components:
    """Smooth functions that are 0 on Dirichlet faces, and on Neumann faces with their slopes, so that any flux is.

    With s from 0 to 1 along each axis: s or s^2 times (1 - s) or (1 - s)^2, sin(2 pi s) if periodic, and no symmetry.
    """
    out = []
    for c in range(channels):
        u = torch.ones_like(points[0])
        for axis, (x, (low, high)) in enumerate(zip(points, domain.extents, strict=True)):
            s = (x - low) / (high - low)
            if domain.periodic(axis):
                u = u * torch.sin(2 * math.pi * s + c)
                continue
            first, last = (2 if condition == "neumann" else 1 for condition in domain.boundary[axis])
            u = u * 4 * s**first * (1 - s) ** last * torch.exp(s * (axis - c) / 2)
        out.append(u)
    return torch.stack(out)


def wave(points: Sequence[Tensor], domain: Domain) -> Float[Tensor, "*grid"]:
    """A product of cosines between -1 and 1 that fits periodic axes: the variation of smooth coefficients."""
    out = torch.ones_like(points[0])
    for axis, (x, (low, high)) in enumerate(zip(points, domain.extents, strict=True)):
        out = out * torch.cos((2 if domain.periodic(axis) else 1) * math.pi * (x - low) / (high - low))
    return out


def slopes(u: Components, points: Sequence[Tensor]) -> Flux:
    """grad u, that can be differentiated again."""
    rows = [torch.autograd.grad(component.sum(), list(points), create_graph=True) for component in u]
    return torch.stack([torch.stack(row) for row in rows])


def source_of(u: Components, flux: Callable[[Tensor], Tensor], points: Sequence[Tensor]) -> Components:
    """-div flux(grad u)."""
    rows = []
    for q in flux(slopes(u, points)):
        parts = [torch.autograd.grad(q[k].sum(), x, retain_graph=True)[0] for k, x in enumerate(points)]
        rows.append(-torch.stack(parts).sum(0))
    return torch.stack(rows)
