"""From cell values to a continuous function, and the exact distance of its flux from a Raviart-Thomas flux."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, FaceField, Grid

Field = Float[Tensor, "b 1 *grid"]
Vertices = Float[Tensor, "b 1 *points"]
Modes = dict[tuple[int, ...], Tensor]  # by the axes along which a mode is odd; its mean square is 12^-(their number)


def at_vertices(v: Field, a: Field, domain: Domain) -> Vertices:
    """Vertex values sum(a v) / sum(a) over the adjacent cells, 0 on Dirichlet faces: n + 1 values per axis.

    Weighting with a keeps the function accurate where its gradient is expensive: at an interface the vertex takes the
    value of the better conductor. On periodic axes the first and last vertices are equal.
    """
    total, weight = _spread(a * v, domain), _spread(a, domain)
    out = total / weight
    for axis, faces in enumerate(domain.boundary):
        dim = axis - domain.dimension
        for end, condition in ((0, faces[0]), (out.shape[dim] - 1, faces[1])):
            if condition == "dirichlet":
                mask = torch.ones(out.shape[dim], dtype=out.dtype, device=out.device)
                mask[end] = 0
                out = out * mask.view(-1, *[1] * (-dim - 1))
    return out


def cell_means(vertices: Vertices) -> Field:
    """The mean over every cell of the multilinear function."""
    for dim in range(2, vertices.ndim):
        n = vertices.shape[dim] - 1
        vertices = (vertices.narrow(dim, 0, n) + vertices.narrow(dim, 1, n)) / 2
    return vertices


def flux_misfit(q: FaceField, vertices: Vertices, a: Field, domain: Domain) -> Field:
    """The integral of |q - a grad v|^2 / a over every cell, exactly, for q in RT0 (flows through faces), v multilinear.

    On a cell the i-th component is q_i, linear in x_i, minus a times the slope of v along axis i, multilinear in the
    other coordinates; both are split into mean and orthogonal modes, so that nothing cancels.
    """
    spacing = Grid(domain, tuple(a.shape[2:])).spacing
    volume = math.prod(spacing)
    total = torch.zeros_like(a)
    for axis, h in enumerate(spacing):
        flow = flow_modes(q[axis], axis, volume / h, domain)
        mean, rest = _squares(slope_modes(vertices, axis, h, domain.dimension))
        misfit = (flow[()] - a * mean).square() + flow[(axis,)].square() / 12 + a.square() * rest
        total = total + misfit / a
    return volume * total


def flow_modes(t: Tensor, axis: int, area: float, domain: Domain) -> Modes:
    """The component of an RT0 flux along an axis, on cells: mean and slope of the flow per area."""
    dim, flow = axis - domain.dimension, t / area
    if domain.periodic(axis):
        flow = torch.cat([flow, flow.narrow(dim, 0, 1)], dim)
    n = flow.shape[dim] - 1
    low, high = flow.narrow(dim, 0, n), flow.narrow(dim, 1, n)
    return {(): (low + high) / 2, (axis,): high - low}


def slope_modes(vertices: Vertices, axis: int, h: float, dimension: int) -> Modes:
    """The derivative of a multilinear function along an axis, on cells: constant there, multilinear across."""
    return _modes(vertices.diff(dim=axis - dimension) / h, [i for i in range(dimension) if i != axis], dimension)


def mass(vertices: Vertices, domain: Domain) -> tuple[Field, Field]:
    """The mean of a multilinear v over every cell, and the mean of the square of what deviates from it."""
    return _squares(_modes(vertices, list(range(domain.dimension)), domain.dimension))


def _modes(u: Tensor, axes: list[int], dimension: int) -> Modes:
    """A function multilinear in the given axes by Legendre modes on cells."""
    parts: Modes = {(): u}
    for axis in axes:
        dim, split = axis - dimension, {}
        for mode, part in parts.items():
            n = part.shape[dim] - 1
            low, high = part.narrow(dim, 0, n), part.narrow(dim, 1, n)
            split |= {mode: (low + high) / 2, (*mode, axis): high - low}
        parts = split
    return parts


def _squares(modes: Modes) -> tuple[Tensor, Tensor]:
    """The mean, and the mean square of the rest."""
    mean = modes[()]
    square = torch.zeros_like(mean)
    for mode, part in modes.items():
        if mode:
            square = square + 12.0 ** -len(mode) * part.square()
    return mean, square


def _spread(u: Field, domain: Domain) -> Vertices:
    """The sum over the cells around every vertex."""
    for axis in range(domain.dimension):
        dim = axis - domain.dimension
        if domain.periodic(axis):
            both = u + u.roll(1, dim)
            u = torch.cat([both, both.narrow(dim, 0, 1)], dim)
        else:
            n = u.shape[dim]
            u = torch.cat(
                [u.narrow(dim, 0, 1), u.narrow(dim, 0, n - 1) + u.narrow(dim, 1, n - 1), u.narrow(dim, n - 1, 1)], dim
            )
    return u
