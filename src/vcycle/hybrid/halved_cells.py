"""Finite elements with nodes at cell centres as functions on cells halved along every axis (operators.elements)."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.elements import with_ghosts
from vcycle.spaces import Domain

Field = Float[Tensor, "b c *grid"]


def halved(v: Field, domain: Domain) -> Float[Tensor, "b c *points"]:
    """The values at the vertices of the halved cells, 2 n + 1 per axis; multilinear between."""
    g = with_ghosts(v, domain)
    for dim in range(2, v.ndim):
        n = g.shape[dim] - 2
        faces = (g.narrow(dim, 0, n + 1) + g.narrow(dim, 1, n + 1)) / 2
        inner = torch.stack([faces.narrow(dim, 0, n), g.narrow(dim, 1, n)], dim + 1).flatten(dim, dim + 1)
        g = torch.cat([inner, faces.narrow(dim, n, 1)], dim)
    return g


def repeated(x: Field) -> Float[Tensor, "b c *halves"]:
    """What is constant on cells, on the halved cells."""
    for dim in range(2, x.ndim):
        x = x.repeat_interleave(2, dim)
    return x
