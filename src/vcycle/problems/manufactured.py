"""Manufactured solutions of -div(a grad u) = f that meet any homogeneous boundary conditions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Grid

Field = Float[Tensor, "1 1 *grid"]


def manufactured(grid: Grid) -> tuple[Field, Field, Field]:
    """(a, f, u) at the grid's points: u a product of the lowest fitting waves, a = 1 + 1/2 product of cosines.

    f = -div(a grad u) by automatic differentiation, so that no formula can be wrong. On periodic axes a is periodic.
    """
    points = [x.clone().requires_grad_() for x in grid.mesh()]
    u = torch.ones(grid.shape, dtype=torch.float64)
    wave = torch.ones_like(u)
    for axis, (x, (low, high)) in enumerate(zip(points, grid.domain.extents, strict=True)):
        s = (x - low) / (high - low)
        u = u * _fitting_wave(s, grid.domain.boundary[axis])
        wave = wave * torch.cos((2 if grid.domain.periodic(axis) else 1) * math.pi * s)
    a = 1 + 0.5 * wave
    f = torch.zeros_like(u)
    for x in points:
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (curvature,) = torch.autograd.grad((a * slope).sum(), x, retain_graph=True)
        f = f - curvature
    return a.detach()[None, None], f.detach()[None, None], u.detach()[None, None]


def _fitting_wave(s: Tensor, faces: tuple[str, str]) -> Tensor:
    if faces[0] == "periodic":
        return torch.sin(2 * math.pi * s)
    if faces == ("dirichlet", "dirichlet"):
        return torch.sin(math.pi * s)
    if faces == ("neumann", "neumann"):
        return torch.cos(math.pi * s)
    return torch.sin(math.pi * s / 2) if faces[0] == "dirichlet" else torch.cos(math.pi * s / 2)
