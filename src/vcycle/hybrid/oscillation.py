"""Data oscillation: sources that vary inside cells, as means and what deviates from them."""

import math

from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain

Field = Float[Tensor, "b 1 *grid"]


def cell_data(fine: Float[Tensor, "b 1 *fine"], shape: tuple[int, ...], domain: Domain) -> tuple[Field, Field]:
    """Means over the cells of a grid, and the norms ||f - mean f|| in L2 of every cell, for f constant on finer cells.

    Both exact; `hybrid.energy_bound` takes them as `source` and `oscillation`.
    Raises ValueError unless `shape` divides that of the finer grid.
    """
    found = tuple(fine.shape[2:])
    if len(found) != len(shape) or any(n % m for n, m in zip(found, shape, strict=True)):
        raise ValueError(f"a grid of shape {found} does not cut the cells of one of shape {shape}: choose a multiple")
    f = fine.double()
    means = f
    for axis, m in enumerate(shape):
        means = means.unflatten(axis + 2, (m, -1)).mean(axis + 3)
    spread = means
    for axis, (n, m) in enumerate(zip(found, shape, strict=True)):
        spread = spread.repeat_interleave(n // m, axis + 2)
    squares = (f - spread).square()
    for axis, m in enumerate(shape):
        squares = squares.unflatten(axis + 2, (m, -1)).mean(axis + 3)
    return means, (squares * (math.prod(domain.lengths) / math.prod(shape))).sqrt()
