"""Moving functions between resolutions."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces.basis import apply_axes
from vcycle.spaces.domain import Domain, Faces
from vcycle.spaces.grid import Grid, Placement


def resample(
    u: Float[Tensor, "..."], domain: Domain, shape: tuple[int, ...], placement: Placement = "cell"
) -> Float[Tensor, "..."]:
    """The function u on another grid of the same domain: (..., *grid) to (..., *shape).

    Refining interpolates linearly (between the boundary condition and the first cell centre near the boundary);
    coarsening averages cells with their overlap (integrals are kept) and interpolates vertices.

    >>> resample(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), Domain.unit(1), (2,))
    tensor([[2., 6.]])
    """
    matrices = []
    for axis, (n, m) in enumerate(zip(u.shape[-domain.dimension :], shape, strict=True)):
        faces = domain.boundary[axis]
        coarsen = placement == "cell" and m < n
        matrix = averaging_matrix(n, m) if coarsen else interpolation_matrix(n, m, faces, placement)
        matrices.append(matrix.to(u))
    return apply_axes(matrices, u)


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # a tensor cached under inference mode could never enter a gradient again
def averaging_matrix(n: int, m: int) -> Float[Tensor, "m n"]:
    """Averages over m cells of a function that is constant on n cells."""
    fine = torch.arange(n + 1, dtype=torch.float64) / n
    coarse = torch.arange(m + 1, dtype=torch.float64) / m
    low = torch.maximum(fine[None, :-1], coarse[:-1, None])
    high = torch.minimum(fine[None, 1:], coarse[1:, None])
    return (high - low).clamp_min(0) * m


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def interpolation_matrix(n: int, m: int, faces: Faces, placement: Placement) -> Float[Tensor, "m n"]:
    """Linear interpolation from n to m points; beyond the outermost cell centres the boundary condition continues u."""
    line = Domain((1.0,), [faces])
    target, h = Grid(line, (m,), placement).axis(0), Grid(line, (n,), placement).spacing[0]
    position = target / h - (0.5 if placement == "cell" else 0.0)
    left = position.floor().clamp(-1, n - 1).long()
    share = position - left
    matrix = torch.zeros(m, n, dtype=torch.float64)
    rows = torch.arange(m)
    for index, weight in ((left, 1 - share), (left + 1, share)):
        inside, sign = _reflect(index, n, faces, placement)
        matrix.index_put_((rows, inside), weight * sign, accumulate=True)
    return matrix


def _reflect(index: Tensor, n: int, faces: Faces, placement: Placement) -> tuple[Tensor, Tensor]:
    """Indices just outside 0..n-1 mapped inside, and the sign of the odd (Dirichlet) or even (Neumann) continuation."""
    sign = torch.ones(index.shape, dtype=torch.float64)
    if faces[0] == "periodic":
        return index % n, sign
    if placement == "vertex":
        return index.clamp(0, n - 1), sign
    for outside, condition in ((index < 0, faces[0]), (index >= n, faces[1])):
        if condition == "dirichlet":
            sign = torch.where(outside, -1.0, sign)
    return index.clamp(0, n - 1), sign
