"""Energies of variational problems with 64 bits of mantissa, by Kronecker products: differences keep their digits."""

import math

import numpy as np
import scipy.sparse as sp

from vcycle.problems import MinimalSurface, PLaplacian, SemilinearElliptic
from vcycle.problems.element_matrices import gradient_matrices, on_subcells
from vcycle.problems.variational_energy import DiscreteEnergy, natural

Array = np.ndarray


def slopes_of(energy: DiscreteEnergy, u: Array) -> Array:
    """grad u in the subcells of every sample, (b, d, subcells), u (b, 1, *grid)."""
    D, g = energy.domain, energy.g.numpy().astype(np.longdouble)
    free = _times(gradient_matrices(D, u.shape[2:]), u - g)
    return free + _times(gradient_matrices(natural(D), u.shape[2:]), g)


def energies(problem, energy: DiscreteEnergy, u: Array) -> Array:
    """E(u) of every sample."""
    u = u.astype(np.longdouble)
    s = (slopes_of(energy, u) ** 2).sum(1)
    a, c, f = (x.numpy().astype(np.longdouble) for x in (energy.a, energy.c, energy.f))
    W, V = _integrands(problem, s, u)
    weights = np.stack([on_subcells(one, energy.domain.dimension) for one in a])
    gradients = (weights * W).sum(1) / 2**energy.domain.dimension
    cell = np.longdouble(math.prod(energy.domain.lengths)) / u[0].size
    return cell * (gradients + (c * V - f * u).reshape(len(u), -1).sum(1))


def _integrands(problem, s: Array, u: Array) -> tuple[Array, Array]:
    if isinstance(problem, PLaplacian):
        p, epsilon = np.longdouble(problem.p), np.longdouble(problem.epsilon)
        return (epsilon**2 + s) ** (p / 2) / p, 0 * u
    if isinstance(problem, SemilinearElliptic):
        return s / 2, u**4 / 4
    assert isinstance(problem, MinimalSurface)
    return np.sqrt(1 + s), 0 * u


def _times(matrices: list[sp.csr_array], u: Array) -> Array:
    """G u for every sample, row by row, since SciPy's products know no long doubles."""
    out = []
    flat = u.reshape(len(u), -1).astype(np.longdouble)
    for G in matrices:
        G = sp.csr_array(G)
        out.append(np.add.reduceat(G.data.astype(np.longdouble) * flat[:, G.indices], G.indptr[:-1], axis=1))
    return np.stack(out, 1)
