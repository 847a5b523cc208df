"""Multilinear finite elements whose nodes are the cell centres.

Between cell centres a function is multilinear; beyond the outermost ones it is continued by one ghost: odd at a
Dirichlet face (u = 0 on the face), linear at a Neumann face (the natural condition then follows from the energy),
around where periodic. The space is conforming, so that second order and symmetry come from the energy alone. Every cell
is halved along each axis, and gradients are taken in the middles of these 2^d subcells, where the coefficients of the
cell hold.
"""

import math
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Grid
from vcycle.spaces.domain import Faces

Field = Float[Tensor, "b c *grid"]
Gradient = Float[Tensor, "..."]  # (b, c, d, 2^d, *grid): component, axis, subcell


def subcells(dimension: int) -> tuple[tuple[int, ...], ...]:
    """On which side of the centre each subcell lies, an entry -1 or 1 per axis."""
    return tuple(product((-1, 1), repeat=dimension))


def ghost_weights(condition: str) -> tuple[float, float]:
    """The ghost as a combination of the first two cells: odd at a Dirichlet face, linear at a Neumann face."""
    return (-1.0, 0.0) if condition == "dirichlet" else (2.0, -1.0)


def require_cells(shape: tuple[int, ...]) -> None:
    """Raises ValueError for grids on which ghosts are not defined."""
    if min(shape) < 3:
        raise ValueError(f"finite elements on cell centres need 3 or more cells per axis, got {shape}: refine the grid")


def with_ghosts(u: Field, domain: Domain) -> Float[Tensor, "..."]:
    """u with a ghost beyond every face."""
    require_cells(tuple(u.shape[-domain.dimension :]))
    for axis, faces in enumerate(domain.boundary):
        u = between_ghosts(u, axis - domain.dimension, faces)
    return u


def between_ghosts(u: Float[Tensor, "..."], dim: int, faces: Faces) -> Float[Tensor, "..."]:
    """u with a ghost at both ends of one axis."""
    n = u.shape[dim]
    if faces[0] == "periodic":
        return torch.cat([u.narrow(dim, n - 1, 1), u, u.narrow(dim, 0, 1)], dim)
    ends = []
    for condition, first, second in zip(faces, (0, n - 1), (1, n - 2), strict=True):
        near, far = ghost_weights(condition)
        ends.append(near * u.narrow(dim, first, 1) + far * u.narrow(dim, second, 1))
    return torch.cat([ends[0], u, ends[1]], dim)


def gradient(u: Field, domain: Domain) -> Gradient:
    """grad u in the middle of every subcell."""
    d, shape = domain.dimension, tuple(u.shape[2:])
    spacing, extended = Grid(domain, shape).spacing, with_ghosts(u, domain)
    parts = [_slopes(extended, sides, shape, spacing) for sides in subcells(d)]
    return torch.stack(parts, 3)


def _slopes(extended: Tensor, sides: tuple[int, ...], shape: tuple[int, ...], spacing: tuple[float, ...]) -> Tensor:
    d, out = len(shape), []
    for direction in range(d):
        v = extended
        for axis, (side, n) in enumerate(zip(sides, shape, strict=True)):
            here, there = v.narrow(axis - d, 1, n), v.narrow(axis - d, 1 + side, n)
            v = (there - here) * (side / spacing[axis]) if axis == direction else torch.lerp(here, there, 0.25)
        out.append(v)
    return torch.stack(out, 2)


def gradient_transposed(flux: Gradient, domain: Domain) -> Field:
    """The transpose of `gradient`: sum of v_i out_i = sum of flux . grad v over all subcells, for every v."""
    d, shape = domain.dimension, tuple(flux.shape[4:])
    spacing = Grid(domain, shape).spacing
    extended = flux.new_zeros(*flux.shape[:2], *(n + 2 for n in shape))
    corners = list(product((0, 1), repeat=d))
    slopes = [[[corner_slope(c, j, sides, spacing) for j in range(d)] for c in corners] for sides in subcells(d)]
    matrices = flux.new_tensor(slopes).unbind()
    for number, (sides, matrix) in enumerate(zip(subcells(d), matrices, strict=True)):
        parts = matrix @ flux[:, :, :, number].flatten(3)  # (b, c, corner, cells)
        for corner, part in zip(corners, parts.unbind(2), strict=True):
            window = extended
            for axis, (side, far) in enumerate(zip(sides, corner, strict=True)):
                window = window.narrow(axis - d, 1 + side * far, shape[axis])
            window += part.unflatten(2, shape)
    return _without_ghosts(extended, domain)


def _without_ghosts(extended: Tensor, domain: Domain) -> Field:
    """The transpose of `with_ghosts`."""
    for axis, faces in enumerate(domain.boundary):
        dim = axis - domain.dimension
        n = extended.shape[dim] - 2
        u = extended.narrow(dim, 1, n)
        for condition, ghost, first, second in zip(faces, (0, n + 1), (0, n - 1), (1, n - 2), strict=True):
            beyond = extended.narrow(dim, ghost, 1)
            if domain.periodic(axis):
                u.narrow(dim, n - 1 - first, 1).add_(beyond)
                continue
            near, far = ghost_weights(condition)
            u.narrow(dim, first, 1).add_(beyond, alpha=near)
            u.narrow(dim, second, 1).add_(beyond, alpha=far)
        extended = u
    return extended.contiguous()


def corner_slope(corner: tuple[int, ...], direction: int, sides: tuple[int, ...], spacing: tuple[float, ...]) -> float:
    """The slope in the middle of a subcell of the function that is 1 at a corner of its element."""
    factors = [
        (sides[axis] if far else -sides[axis]) / spacing[axis] if axis == direction else (0.25 if far else 0.75)
        for axis, far in enumerate(corner)
    ]
    return math.prod(factors)


def subcell_volume(domain: Domain, shape: tuple[int, ...]) -> float:
    """The quadrature weight of a subcell."""
    return math.prod(Grid(domain, shape).spacing) / 2**domain.dimension
