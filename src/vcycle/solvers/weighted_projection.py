"""The pressure of a flow whose density varies: a banded Cholesky factorisation per sample."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import LinAlgError, solveh_banded
from torch import Tensor


def weighted_pressure(
    across_x: Float[Tensor, "b _ m"], across_y: Float[Tensor, "b n _"], source: Float[Tensor, "b n m"]
) -> Float[Tensor, "b n m"]:
    """p with sum over the faces of a cell of w (p - p_neighbour) = source, p = 0 beyond the ends of the box.

    across_x, across_y  the weights w >= 0 of the faces, 0 where nothing flows; some face at an end has w > 0

    p = 0 in cells without open faces, NaN in samples that are not finite, or without a factorisation. On the processor:
    the band of n x m cells takes n m min(n, m)^2 operations, exact to rounding, and faster than iterations to 64 x 64
    cells, where steps in time are so many that finer grids are not for this solver.
    """
    b, n, m = source.shape
    if n < m:
        return weighted_pressure(across_y.mT, across_x.mT, source.mT).mT
    diagonal = across_x[:, 1:] + across_x[:, :-1] + across_y[:, :, 1:] + across_y[:, :, :-1]
    diagonal = torch.where(diagonal == 0, 1.0, diagonal).flatten(1).numpy(force=True)
    far, near = (-w.flatten(1).numpy(force=True) for w in (across_x[:, 1:-1], across_y[:, :, 1:]))
    f, out = source.flatten(1).numpy(force=True), np.full((b, n * m), np.nan)
    for i in np.isfinite(f).all(1).nonzero()[0]:
        band = np.zeros((m + 1, n * m), order="F")
        band[m, : (n - 1) * m] = far[i]
        band[1] += near[i]  # added, because a band of one cell has both in one row
        band[1, m - 1 :: m] -= near[i, m - 1 :: m]  # the last cell of a row has no neighbour in the next one
        band[0] = diagonal[i]
        try:
            out[i] = solveh_banded(band, f[i], lower=True, overwrite_ab=True, check_finite=False)
        except LinAlgError:  # left as it is: NaN
            continue
    return torch.from_numpy(out).view(b, n, m).to(source.device)
