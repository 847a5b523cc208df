"""Ghost values around a grid that fit the boundary conditions: what a convolution sees beyond the last point."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.domain import Domain

Ghost = Literal["zeros", "circular", "reflect", "replicate"]
GHOST_OF: dict[str, Ghost] = {"periodic": "circular", "dirichlet": "zeros", "neumann": "replicate"}


def ghosts(domain: Domain) -> tuple[tuple[Ghost, Ghost], ...]:
    """The continuation of each face: periodic wraps, Dirichlet is 0 outside, Neumann repeats the boundary cell."""
    return tuple((GHOST_OF[low], GHOST_OF[high]) for low, high in domain.boundary)


def pad(u: Float[Tensor, "..."], width: int, faces: tuple[tuple[Ghost, Ghost], ...]) -> Float[Tensor, "..."]:
    """`width` ghost points at both ends of every trailing axis, one pair of continuations per axis.

    >>> pad(torch.tensor([[1.0, 2.0, 3.0]]), 1, (("zeros", "replicate"),))
    tensor([[0., 1., 2., 3., 3.]])
    """
    for axis, (low, high) in enumerate(faces):
        dim = axis - len(faces)
        u = torch.cat([_side(u, width, low, dim, False), u, _side(u, width, high, dim, True)], dim)
    return u


def _side(u: Tensor, width: int, ghost: Ghost, dim: int, high: bool) -> Tensor:
    n = u.shape[dim]
    if ghost == "zeros":
        return torch.zeros_like(u.narrow(dim, 0, 1)).expand(*_with(u, dim, width))
    if ghost == "circular":
        return u.narrow(dim, 0 if high else n - width, width)
    if ghost == "replicate":
        return u.narrow(dim, n - 1 if high else 0, 1).expand(*_with(u, dim, width))
    return u.narrow(dim, n - 1 - width if high else 1, width).flip(dim)


def _with(u: Tensor, dim: int, width: int) -> list[int]:
    shape = list(u.shape)
    shape[dim] = width
    return shape
