"""Cholesky's factorisation of a band: the direct solver of small grids, several times faster than a sparse one."""

from itertools import permutations

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded
from torch import Tensor

from vcycle.operators import Compact
from vcycle.solvers.direct import solve_direct

Field = Float[Tensor, "b c *grid"]


def solve_banded(A: Compact, load: Field) -> Field:
    """u with A u = load for every sample, in double precision and on the processor.

    The unknowns are numbered along the order of the axes that leaves the narrowest band; n x n cells take n^4
    operations. A sample that rounding leaves without a factor is solved by SuperLU.
    """
    rows, columns, places = A.couplings()
    number = min(_numberings(A), key=lambda number: np.abs(number[rows] - number[columns]).max())
    below = number[rows] - number[columns]
    lower, size = below >= 0, number.size
    entries, place = places[lower], (below[lower], number[columns][lower])
    out = np.empty((load.shape[0], size))
    for i, (k, f) in enumerate(zip(A.k.flatten(1).numpy(force=True), load.flatten(1).numpy(force=True), strict=True)):
        if not f.any():
            out[i] = 0
            continue
        band = np.zeros((below.max() + 1, size), order="F")
        band[place] = k[entries]
        numbered = np.empty(size)
        numbered[number] = f
        try:
            factor = cholesky_banded(band, overwrite_ab=True, lower=True, check_finite=False)
        except LinAlgError:
            out[i] = solve_direct(A.to_scipy(i), f)
        else:
            out[i] = cho_solve_banded((factor, True), numbered, check_finite=False)[number]
    return torch.from_numpy(out).view(load.shape).to(load)


def operations(A: Compact) -> float:
    """Multiplications of the factorisation of one sample."""
    rows, columns, _ = A.couplings()
    size = A.size
    return size * min(float(np.abs(number[rows] - number[columns]).max()) for number in _numberings(A)) ** 2


def _numberings(A: Compact) -> list[Int[np.ndarray, " n"]]:
    """The place of every unknown (channel, *grid) for every order of the axes, components of a cell side by side."""
    channels, shape = A.k.shape[1], tuple(A.k.shape[4:])
    size, out = channels * int(np.prod(shape)), []
    for axes in permutations(range(1, len(shape) + 1)):
        kept = np.arange(size).reshape(channels, *shape).transpose(*axes, 0).ravel()
        number = np.empty(size, dtype=np.int64)
        number[kept] = np.arange(size)
        out.append(number)
    return out
