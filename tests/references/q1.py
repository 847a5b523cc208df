"""Multilinear finite elements on boxes, assembled in NumPy: an independent, finer truth for the bound of the PDE."""

import math
from functools import reduce

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg

from vcycle.spaces import Domain


def stiffness(a: np.ndarray, domain: Domain) -> tuple[sp.csc_array, np.ndarray, np.ndarray]:
    """The matrix of the integral of a grad u . grad v, the nodes of every cell, and the shape of the node grid."""
    d, n = a.ndim, a.shape
    h = [length / m for length, m in zip(domain.lengths, n, strict=True)]
    slope = [np.array([[1, -1], [-1, 1]]) / s for s in h]
    mass = [np.array([[2, 1], [1, 2]]) * s / 6 for s in h]
    element = sum(reduce(np.kron, [slope[j] if j == i else mass[j] for j in range(d)]) for i in range(d))
    points = [m if domain.periodic(i) else m + 1 for i, m in enumerate(n)]
    number = np.arange(math.prod(points)).reshape(points)
    cells, corners = np.indices(n).reshape(d, -1), np.indices((2,) * d).reshape(d, -1)
    nodes = np.stack([number[tuple((cells[i] + corners[i, c]) % points[i] for i in range(d))] for c in range(2**d)], 1)
    rows, columns = np.repeat(nodes, 2**d, 1).ravel(), np.tile(nodes, (1, 2**d)).ravel()
    values = (a.reshape(-1, 1, 1) * element).ravel()
    return sp.csc_array((values, (rows, columns)), shape=(number.size,) * 2), nodes, np.array(points)


def solve(a: np.ndarray, f: np.ndarray, domain: Domain) -> tuple[np.ndarray, sp.csc_array]:
    """Node values of the Galerkin solution for a and f constant on cells, and the stiffness matrix."""
    matrix, nodes, points = stiffness(a, domain)
    volume = math.prod(domain.lengths) / a.size
    load = np.zeros(math.prod(points))
    np.add.at(load, nodes.ravel(), np.repeat(f.ravel() * volume / 2**a.ndim, 2**a.ndim))
    free = np.ones(tuple(points), bool)
    for axis, faces in enumerate(domain.boundary):
        for end, condition in zip((0, -1), faces, strict=True):
            if condition == "dirichlet":
                np.moveaxis(free, axis, 0)[end] = False
    free = free.ravel()
    free[-1] &= not domain.floating
    index, u = np.flatnonzero(free), np.zeros(load.size)
    factor = scipy.sparse.linalg.splu(
        sp.csc_matrix(matrix[index][:, index]), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
    )
    u[index] = factor.solve(load[index])
    return u, matrix


def energy_errors(fields: list[np.ndarray], a: np.ndarray, f: np.ndarray, domain: Domain, finer: int) -> list[float]:
    """||a^(1/2) grad(U - v)|| for multilinear v (n + 1 vertex values per axis), U the solution on a `finer` mesh.

    U is the projection of the PDE's solution u onto a space that contains v, so each number is at most the true
    error ||a^(1/2) grad(u - v)||.
    """
    fine_a, fine_f = a, f
    for axis in range(a.ndim):
        fine_a, fine_f = fine_a.repeat(finer, axis), fine_f.repeat(finer, axis)
    truth, matrix = solve(fine_a, fine_f, domain)
    errors = []
    for v in fields:
        error = truth - refine(v, domain, finer).ravel()
        errors.append(math.sqrt(max(float(error @ (matrix @ error)), 0.0)))
    return errors


def refine(v: np.ndarray, domain: Domain, finer: int) -> np.ndarray:
    """Vertex values of the same multilinear function on the finer mesh, without the repeated periodic vertices."""
    for axis in range(v.ndim):
        cells = v.shape[axis] - 1
        position = np.arange(cells * finer + 1) / finer
        left = np.minimum(position.astype(int), cells - 1)
        shape = [1] * v.ndim
        shape[axis] = -1
        share = (position - left).reshape(shape)
        v = np.take(v, left, axis) * (1 - share) + np.take(v, left + 1, axis) * share
        if domain.periodic(axis):
            v = np.delete(v, -1, axis)
    return v
