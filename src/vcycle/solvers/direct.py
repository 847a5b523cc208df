"""Sparse direct solution with SuperLU, the independent second opinion."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg


def solve_direct(matrix: sp.csc_array, f: np.ndarray, *, floating: bool = False) -> np.ndarray:
    """u with A u = f for one symmetric matrix; minimum-degree ordering on A + A^T.

    `floating`: A annihilates constants; the last unknown is pinned to 0 and the mean of u removed afterwards.
    """
    reduced = matrix[:-1, :-1] if floating else matrix
    factor = scipy.sparse.linalg.splu(
        sp.csc_matrix(reduced), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
    )
    if not floating:
        return factor.solve(f)
    u = np.append(factor.solve(f[:-1]), 0.0)
    return u - u.mean()
