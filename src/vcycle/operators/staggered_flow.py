"""What the Navier-Stokes equations add to staggered fields between walls: convection."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.staggered import Staggered


def convection(u: Staggered, spacing: tuple[float, ...]) -> Staggered:
    """div(u u) on the inner faces, in a box with walls that nothing flows through.

    Central means of neighbours: the sum over faces of u div(u u) is 0 to rounding where div u is. Source: Harlow and
    Welch 1965.
    """
    out = []
    for component, v in enumerate(u):
        own, total = component + 1, torch.zeros_like(v)
        for axis, h in enumerate(spacing):
            dim = axis + 1
            if axis == component:
                wall = torch.zeros_like(v.narrow(own, 0, 1))
                total = total + _means(torch.cat([wall, v, wall], own), own).square().diff(dim=own) / h
                continue
            flux = _means(v, dim) * _means(u[axis], own)
            wall = torch.zeros_like(flux.narrow(dim, 0, 1))
            total = total + torch.cat([wall, flux, wall], dim).diff(dim=dim) / h
        out.append(total)
    return tuple(out)


def _means(v: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    n = v.shape[dim]
    return (v.narrow(dim, 0, n - 1) + v.narrow(dim, 1, n - 1)) / 2
