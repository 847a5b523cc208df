"""The independent second solver of finite elements on cell centres: Kronecker products of matrices of one dimension.

Shares no line with the operators on tensors; NumPy and SciPy only.
"""

import functools
import math

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers import solve_direct
from vcycle.spaces import Domain

Field = Float[Tensor, "b c *grid"]
Moduli = Float[Tensor, "..."]


def axis_matrices(n: int, length: float, faces: tuple[str, str]) -> tuple[sp.csr_array, sp.csr_array]:
    """Values and slopes in the 2n half cells of an axis of functions that are linear between the n cell centres."""
    ghosts = sp.lil_array((n + 2, n))
    ghosts[1 : n + 1, :] = sp.eye_array(n)
    if faces[0] == "periodic":
        ghosts[0, n - 1] = ghosts[n + 1, 0] = 1
    else:
        for ghost, first, second, condition in ((0, 0, 1, faces[0]), (n + 1, n - 1, n - 2, faces[1])):
            ghosts[ghost, first], ghosts[ghost, second] = (-1, 0) if condition == "dirichlet" else (2, -1)
    half = np.arange(2 * n)
    cell = half // 2 + 1
    other = cell + 2 * (half % 2) - 1
    low, high = np.minimum(cell, other), np.maximum(cell, other)
    one = np.ones(2 * n)
    value = sp.csr_array((np.r_[0.75 * one, 0.25 * one], (np.r_[half, half], np.r_[cell, other])), (2 * n, n + 2))
    slope = sp.csr_array((np.r_[-one, one] * n / length, (np.r_[half, half], np.r_[low, high])), (2 * n, n + 2))
    return sp.csr_array(value @ ghosts.tocsr()), sp.csr_array(slope @ ghosts.tocsr())


def gradient_matrices(domain: Domain, shape: tuple[int, ...]) -> list[sp.csr_array]:
    """The derivative along each axis in all subcells, ordered as a grid of half the spacing."""
    about = zip(shape, domain.lengths, domain.boundary, strict=True)
    axes = [axis_matrices(n, length, faces) for n, length, faces in about]
    return [
        functools.reduce(sp.kron, [slope if axis == k else value for axis, (value, slope) in enumerate(axes)]).tocsr()
        for k in range(domain.dimension)
    ]


def on_subcells(values: np.ndarray, dimension: int) -> np.ndarray:
    """(2^d or 1, *grid) to a flat grid of half the spacing; the first axis counts sides from low to high."""
    n = values.shape[1:]
    parts = np.broadcast_to(values, (2**dimension, *n)).reshape((2,) * dimension + n)
    order = [axis for k in range(dimension) for axis in (dimension + k, k)]
    return parts.transpose(order).ravel()


def assemble(moduli: np.ndarray, domain: Domain) -> sp.csc_array:
    """The matrix of (C grad u, grad v) for one sample, C (c, d, c, d, 2^d or 1, *grid)."""
    c, d, shape = moduli.shape[0], moduli.shape[1], moduli.shape[5:]
    G = gradient_matrices(domain, shape)
    weight = math.prod(domain.lengths) / math.prod(shape) / 2**d
    blocks = [[sp.csr_array((math.prod(shape),) * 2) for _ in range(c)] for _ in range(c)]
    for i in range(c):
        for j in range(c):
            for k in range(d):
                for m in range(d):
                    entries = on_subcells(moduli[i, k, j, m], d) * weight
                    if entries.any():
                        blocks[i][j] = blocks[i][j] + G[k].T @ sp.diags_array(entries) @ G[m]
    return sp.csc_array(sp.block_array(blocks))


def solve_elements(moduli: Moduli, load: Field, domain: Domain, *, floating: bool = False) -> Field:
    """The direct solution for every sample of a batch; mean zero if `floating`."""
    out = []
    for C, b in zip(moduli.numpy(force=True), load.numpy(force=True), strict=True):
        out.append(solve_direct(assemble(C, domain), b.ravel(), floating=floating).reshape(b.shape))
    return torch.from_numpy(np.stack(out)).to(load)
