"""Fluxes on meshes in exact equilibrium: the lowest Raviart-Thomas space by way of Crouzeix and Raviart's functions.

On a simplex with centre c a flux is q = g + s (x - c) with div q = d s. It has continuous normal components, and none
on Neumann faces, if and only if

    (g, grad w) + (d s, w) = 0   for all w of Crouzeix and Raviart that vanish on Dirichlet faces,

w linear on simplices and continuous in the middles of faces. So equilibrium is one equation for the constants g, and
the projection onto it one Laplacian, whatever the coefficient. Sources: Marini, SIAM J. Numer. Anal. 22, 1985; Arnold
and Falk, SIAM J. Numer. Anal. 26, 1989.

Needs the extra `meshes`; vcycle.hybrid does not import this module.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from jaxtyping import Float

from vcycle.hybrid.simplices import Simplices

Constants = Float[np.ndarray, "b m d"]  # a vector per simplex
Means = Float[np.ndarray, "b m"]
Tensors = Float[np.ndarray, "b m d d"]


@dataclass(frozen=True)
class MeshEquilibrium:
    """Projections onto fluxes in equilibrium; the factorisation is made once for all coefficients and samples."""

    simplices: Simplices

    @cached_property
    def free(self) -> np.ndarray:
        return np.flatnonzero(~self.simplices.given)

    @cached_property
    def factor(self) -> scipy.sparse.linalg.SuperLU:
        """Of the Laplacian of Crouzeix and Raviart's functions."""
        if not self.simplices.given.any():
            raise ValueError("no face has u given, so that not every source has a flux in equilibrium: give u on some")
        eye = np.broadcast_to(np.eye(self.simplices.dimension), self.simplices.moments.shape)
        return factorised(self.stiffness(eye)[self.free][:, self.free])

    def stiffness(self, a: Float[np.ndarray, "m d d"]) -> sp.csr_array:
        """(a grad z, grad w) for all faces."""
        G, weighted = self.simplices.slopes, a * self.simplices.volumes[:, None, None]
        m, d = weighted.shape[:2]
        rows, columns = np.broadcast_arrays(np.arange(m * d).reshape(m, d, 1), np.arange(m * d).reshape(m, 1, d))
        A = sp.csr_array((weighted.ravel(), (rows.ravel(), columns.ravel())), shape=(m * d, m * d))
        return sp.csr_array(G.T @ A @ G)

    def imbalance(self, g: Constants, load: Means) -> Float[np.ndarray, "b faces"]:
        """(load, w) - (g, grad w) for all w; zero in equilibrium, div q = -load."""
        S = self.simplices
        forces = (S.volumes * load) @ S.averages
        return (forces - (S.volumes[:, None] * g).reshape(len(g), -1) @ S.slopes)[:, self.free]

    def correction(self, imbalance: Float[np.ndarray, "b faces"]) -> Constants:
        """The least constants (in L2) that balance it: grad z."""
        z = np.zeros((len(imbalance), len(self.simplices.given)))
        z[:, self.free] = self.factor.solve(np.ascontiguousarray(imbalance.T)).T
        return (self.simplices.slopes @ z.T).T.reshape(len(z), *self.simplices.moments.shape[:2])

    def project(self, g: Constants, load: Means) -> Constants:
        """The constants next to g in L2 that are in equilibrium with the load."""
        return g + self.correction(self.imbalance(g, load))


def tightened(equilibrium: MeshEquilibrium, g: Constants, target: Constants, inverse: Tensors, steps: int) -> Constants:
    """g after some steps of conjugate gradients to the least ||A^(-1/2) (g - target)|| among fluxes in equilibrium.

    Differences of such fluxes are constant on simplices, and one Laplacian projects on them. The error after k steps
    falls as ((s - 1) / (s + 1))^k with s^2 the contrast of A.
    """
    volumes, nothing = equilibrium.simplices.volumes, np.zeros(g.shape[:2])

    def descent(w: Constants) -> Constants:
        return equilibrium.project(-np.einsum("bmik,bmk->bmi", inverse, w), nothing)

    def square(w: Constants) -> Float[np.ndarray, "b 1 1"]:
        return np.einsum("m,bmi,bmi->b", volumes, w, w)[:, None, None]

    r = direction = descent(g - target)
    for _ in range(steps):
        energy = np.einsum("m,bmi,bmik,bmk->b", volumes, direction, inverse, direction)[:, None, None]
        size = square(r)
        step = size / np.where(energy > 0, energy, np.inf)
        g = g + step * direction
        r = r + step * descent(direction)
        direction = r + square(r) / np.where(size > 0, size, np.inf) * direction
    return g


def best_flux(
    equilibrium: MeshEquilibrium, v: Float[np.ndarray, "b n"], A: Tensors, c: Means, f: Means
) -> tuple[Constants, Means, Means]:
    """g, s and the means of f - c v + div q for the flux of least ||A^(-1/2) (q - A grad v)||^2 + ||c^(-1/2) mean||^2.

    It is the flux of the mixed method; of v only the values on Dirichlet faces matter. With the means Z of z, a
    function of Crouzeix and Raviart, and k those of (x - x_K) A^-1 (x - x_K) / d^2 around the centres of simplices,

        (A grad z, grad w) + (c Z / (1 + k c), w) = (f / (1 + k c), w),   g = A grad z,   d s = c p - f

    with the potential p = (Z + k f) / (1 + k c).
    """
    S, free = equilibrium.simplices, equilibrium.free
    d = S.dimension
    k = np.einsum("bmik,mik->bm", np.linalg.inv(A), S.moments) / (d**2 * S.volumes)
    weight = S.volumes / (1 + k * c)
    z = np.where(S.given, S.face_means(v), 0.0)
    for sample in range(len(v)):
        reaction = S.averages.T @ sp.diags_array(weight[sample] * c[sample]) @ S.averages
        matrix = equilibrium.stiffness(A[sample]) + sp.csr_array(reaction)
        rest = (weight[sample] * f[sample]) @ S.averages - matrix @ z[sample]
        z[sample, free] = factorised(matrix[free][:, free]).solve(rest[free])
    means = (S.averages @ z.T).T
    p = (means + k * f) / (1 + k * c)
    slopes = (S.slopes @ z.T).T.reshape(len(v), -1, d)
    return np.einsum("bmik,bmk->bmi", A, slopes), (c * p - f) / d, c * (p - S.means(v))


def factorised(matrix: sp.csr_array) -> scipy.sparse.linalg.SuperLU:
    """For repeated solutions with one symmetric positive matrix."""
    return scipy.sparse.linalg.splu(sp.csc_matrix(matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
