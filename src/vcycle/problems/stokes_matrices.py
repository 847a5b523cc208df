"""The independent second solver of Stokes flow: the saddle point as one sparse matrix, factorised.

Shares no line with the operators on tensors; NumPy and SciPy only.
"""

import functools
import math

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg

Array = np.ndarray


def _second_difference(n: int, h: float, on_walls: bool) -> sp.csr_array:
    """-d^2/dx^2 with u = 0 at the ends, on n points between them, or in n cells."""
    diagonal = np.full(n, 2.0)
    if not on_walls:
        diagonal[[0, -1]] = 3.0
    return sp.csr_array(sp.diags_array([-np.ones(n - 1), diagonal, -np.ones(n - 1)], offsets=[-1, 0, 1]) / h**2)


def _kron(factors: list[sp.csr_array]) -> sp.csr_array:
    return functools.reduce(lambda a, b: sp.csr_array(sp.kron(a, b)), factors)


def stokes_matrix(shape: tuple[int, ...], lengths: tuple[float, ...], viscosity: float) -> sp.csc_array:
    """Rows and columns: the components of u on inner faces one after the other, then p in cells."""
    d, h = len(shape), [length / n for length, n in zip(lengths, shape, strict=True)]
    blocks: list[list[sp.csr_array | None]] = [[None] * (d + 1) for _ in range(d + 1)]
    for k in range(d):
        points = [n - 1 if axis == k else n for axis, n in enumerate(shape)]
        one = [sp.csr_array(sp.eye_array(n)) for n in points]
        terms = [
            _kron(
                [_second_difference(n, h[axis], axis == k) if axis == j else one[axis] for axis, n in enumerate(points)]
            )
            for j in range(d)
        ]
        blocks[k][k] = viscosity * sum(terms[1:], terms[0])
        n = shape[k]
        difference = sp.csr_array(sp.diags_array([-np.ones(n), np.ones(n)], offsets=[0, 1], shape=(n - 1, n)) / h[k])
        gradient = _kron([difference if axis == k else one[axis] for axis in range(d)])
        blocks[k][d], blocks[d][k] = gradient, sp.csr_array(gradient.T)
    return sp.csc_array(sp.block_array(blocks))


def solve_stokes_assembled(
    forces: list[list[Array]], shape: tuple[int, ...], lengths: tuple[float, ...], viscosity: float
) -> list[tuple[list[Array], Array]]:
    """(u, p) for the forces of every sample; p has mean zero."""
    matrix = stokes_matrix(shape, lengths, viscosity)
    factor = scipy.sparse.linalg.splu(sp.csc_matrix(matrix[:-1, :-1]))  # the pressure of the last cell is 0
    sizes = [math.prod(f.shape) for f in forces[0]]
    out = []
    for force in forces:
        load = np.concatenate([f.ravel() for f in force] + [np.zeros(math.prod(shape) - 1)])
        solution = factor.solve(load)
        parts = np.split(solution, np.cumsum(sizes))
        u = [v.reshape(f.shape) for v, f in zip(parts, force, strict=False)]
        p = np.append(parts[-1], 0.0).reshape(shape)
        out.append((u, p - p.mean()))
    return out
