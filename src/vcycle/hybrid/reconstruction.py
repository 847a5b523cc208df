"""From cell values to a continuous function, and the exact distance of its flux from a Raviart-Thomas flux."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, FaceField, Grid

Field = Float[Tensor, "b 1 *grid"]
Vertices = Float[Tensor, "b 1 *points"]


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


def flux_misfit(q: FaceField, vertices: Vertices, a: Field, domain: Domain) -> Float[Tensor, " b"]:
    """The integral of |q - a grad v|^2 / a, exactly, for q in RT0 (given as flows through faces) and v multilinear.

    On a cell the i-th component is q_i, linear in x_i, minus a times the slope of v along axis i, multilinear in the
    other coordinates; both are split into mean and orthogonal modes, so that nothing cancels.
    """
    spacing = Grid(domain, tuple(a.shape[2:])).spacing
    volume = math.prod(spacing)
    total = torch.zeros_like(a)
    for axis, h in enumerate(spacing):
        dim, area = axis - domain.dimension, volume / h
        flow = q[axis] / area
        if domain.periodic(axis):
            flow = torch.cat([flow, flow.narrow(dim, 0, 1)], dim)
        n = a.shape[dim]
        low, high = flow.narrow(dim, 0, n), flow.narrow(dim, 1, n)
        mean, modes = _split(
            vertices.diff(dim=dim) / h, [d - domain.dimension for d in range(domain.dimension) if d != axis]
        )
        misfit = ((low + high) / 2 - a * mean).square() + (high - low).square() / 12 + a.square() * modes
        total = total + misfit / a
    return volume * total.flatten(1).sum(1)


def _split(slope: Tensor, dims: list[int]) -> tuple[Tensor, Tensor]:
    """Mean over a cell of a function multilinear in the given axes, and the mean square of the rest (Legendre)."""
    parts = [(slope, 1.0)]
    for dim in dims:
        n = slope.shape[dim] - 1
        split = []
        for part, weight in parts:
            low, high = part.narrow(dim, 0, n), part.narrow(dim, 1, n)
            split += [((low + high) / 2, weight), (high - low, weight / 12)]
        parts = split
    mean, rest = parts[0][0], parts[1:]
    square = torch.zeros_like(mean)
    for part, weight in rest:
        square = square + weight * part.square()
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
