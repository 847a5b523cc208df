"""Symmetric stresses in exact equilibrium on the cells of a box: div sigma + f = 0 for f constant on cells.

sigma_ij is bilinear in x_i and x_j with values at the edges of cells (vertices in two dimensions), sigma_ii quadratic
in x_i with values on the faces across axis i, both constant in the other coordinates. Then sigma n is continuous across
faces, and div sigma + f vanishes if its mean over every cell does, the quadratic part of sigma_ii being

    -(x_i - l) (x_i - r) / 2 times the sum over j of the mixed differences of sigma_ij.

Source: Hu, Man and Zhang, SIAM J. Numer. Anal. 52, 2014 (the element).
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import torch
from jaxtyping import Float

from vcycle.hybrid.cell_quadrature import Point, between
from vcycle.spaces import Domain, Grid
from vcycle.spaces.basis import apply_axes

Array = np.ndarray
FACTORISED = 2**16  # cells in two dimensions; beyond, iterations are sooner done than the factorisation
ACCURACY = 1e-12  # of iterations; the bound counts what they leave, by another correction
MOST = 1000  # iterations; 20 to 40 are usual on any grid


@dataclass(frozen=True)
class SymmetricStress:
    """The space of these stresses on n cells per axis, their tractions on Neumann faces given, and its equilibrium.

    A stress is a vector (b, dofs): sigma_00, sigma_01, ..., sigma_11, ... one after the other (`shapes`).
    """

    domain: Domain
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if any("periodic" in faces for faces in self.domain.boundary) or self.domain.floating:
            raise ValueError(
                f"stresses in equilibrium are known for boxes with dirichlet and neumann faces, at least one of them "
                f"dirichlet, got {self.domain}"
            )
        if min(self.shape) < 2:
            raise ValueError(f"stresses need 2 or more cells per axis, got {self.shape}: refine the grid")

    @property
    def pairs(self) -> list[tuple[int, int]]:
        d = self.domain.dimension
        return [(i, j) for i in range(d) for j in range(i, d)]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the values of every component."""
        return [tuple(n + (k in pair) for k, n in enumerate(self.shape)) for pair in self.pairs]

    @property
    def spacing(self) -> tuple[float, ...]:
        return Grid(self.domain, self.shape).spacing

    def parts(self, stress: Float[Array, "b dofs"]) -> list[Array]:
        """The values of every component, (b, *shape of it)."""
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        return [p.reshape(-1, *s) for p, s in zip(np.split(stress, ends, 1), self.shapes, strict=True)]

    @cached_property
    def free(self) -> Array:
        """Which values are not those of a traction on a Neumann face, (dofs,)."""
        masks = []
        for pair, shape in zip(self.pairs, self.shapes, strict=True):
            mask = np.ones(shape, bool)
            for axis in set(pair):
                ends = np.moveaxis(mask, axis, 0)
                for end, condition in zip((0, -1), self.domain.boundary[axis], strict=True):
                    ends[end] &= condition == "dirichlet"
            masks.append(mask.ravel())
        return np.concatenate(masks)

    @cached_property
    def divergence(self) -> sp.csr_array:
        """From stresses to the means of div sigma over cells, (d cells, dofs)."""
        rows = []
        for i in range(self.domain.dimension):
            row = []
            for pair, shape in zip(self.pairs, self.shapes, strict=True):
                if i not in pair:
                    row.append(sp.csr_array((math.prod(self.shape), math.prod(shape))))
                    continue
                along = pair[0] + pair[1] - i
                factors = [
                    _difference(n, h) if k == along else _average(n) if k == i else sp.eye_array(n)
                    for k, (n, h) in enumerate(zip(self.shape, self.spacing, strict=True))
                ]
                row.append(functools.reduce(sp.kron, factors))
            rows.append(row)
        return sp.csr_array(sp.block_array(rows))

    @cached_property
    def balance(self) -> sp.csr_array:
        """The divergence of stresses without traction on Neumann faces."""
        return self.divergence @ sp.diags_array(self.free.astype(float))

    @cached_property
    def weights(self) -> Array:
        """The inverse weight of every value in ||sigma||^2: shares of the cells around it, shear twice, (dofs,)."""
        out = []
        for (i, j), shape in zip(self.pairs, self.shapes, strict=True):
            share = np.full(shape, 1.0 if i == j else 2.0)
            for axis in {i, j}:
                ends = np.moveaxis(share, axis, 0)
                ends[[0, -1]] /= 2
            out.append(1 / share.ravel())
        return np.concatenate(out)

    @cached_property
    def matrix(self) -> sp.csc_array:
        """Balance W balance^T, an elastic body whose material does not depend on the problem."""
        return sp.csc_array(self.balance @ sp.diags_array(self.weights) @ self.balance.T)

    @cached_property
    def factor(self) -> scipy.sparse.linalg.SuperLU:
        return scipy.sparse.linalg.splu(self.matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})

    def correction(self, force: Float[Array, "b rows"]) -> Float[Array, "b dofs"]:
        """The least stress with div sigma + force = 0: by a factorisation that is kept, or on large grids and in three
        dimensions by conjugate gradients; NaN where they do not converge."""
        if self.domain.dimension == 2 and math.prod(self.shape) <= FACTORISED:
            potential = self.factor.solve(np.ascontiguousarray(-force.T))
        else:
            potential = np.stack([self._iterated(-row) for row in force], 1)
        return (self.weights[:, None] * (self.balance.T @ potential)).T

    def _iterated(self, right: Float[Array, " rows"]) -> Float[Array, " rows"]:
        if not np.isfinite(right).all():
            return np.full_like(right, np.nan)
        x, failed = scipy.sparse.linalg.cg(self.matrix, right, rtol=ACCURACY, maxiter=MOST, M=self.separated)
        return np.full_like(right, np.nan) if failed else x

    @cached_property
    def separated(self) -> "SeparatedBody":
        return SeparatedBody(self.domain, self.shape)

    def imbalance(self, stress: Float[Array, "b dofs"], force: Float[Array, "b rows"]) -> Float[Array, "b rows"]:
        return force + (self.divergence @ stress.T).T

    def equilibrate(
        self, stress: Float[Array, "b dofs"], force: Float[Array, "b rows"], held: Float[Array, " dofs"] | None = None
    ) -> Float[Array, "b dofs"]:
        """The stress next to the given one with div sigma + force = 0, `force` (b, d cells) being constant on cells.

        On Neumann faces it has the values of `held`, zero if left out.
        """
        stress = np.where(self.free, stress, 0.0 if held is None else held)
        return stress + self.correction(self.imbalance(stress, force))

    def at(self, stress: Float[Array, "b dofs"], point: Point) -> Float[Array, "b d d *cells"]:
        """sigma at the same point of every cell, in units of the cell."""
        d, parts = self.domain.dimension, self.components(stress)(point)
        out = np.zeros((len(stress), d, d, *self.shape))
        for (i, j), values in parts.items():
            out[:, i, j] = out[:, j, i] = values
        return out

    def components(self, stress: Float[Array, "b dofs"]) -> Callable[[Point], dict[tuple[int, int], Array]]:
        """sigma_ij, i <= j, at the same point of every cell, (b, *cells) each."""
        d, h, parts = self.domain.dimension, self.spacing, dict(zip(self.pairs, self.parts(stress), strict=True))
        bends: list[Any] = [0.0] * d
        for (i, j), values in parts.items():
            if i != j:
                mixed = np.diff(np.diff(values, axis=i - d), axis=j - d) / (2 * h[i] * h[j])
                bends[i], bends[j] = bends[i] + h[i] ** 2 * mixed, bends[j] + h[j] ** 2 * mixed

        def at(point: Point) -> dict[tuple[int, int], Array]:
            out = {}
            for (i, j), values in parts.items():
                for axis in {i, j}:
                    values = between(values, axis - d, point[axis])
                out[i, j] = values + point[i] * (1 - point[i]) * bends[i] if i == j else values
            return out

        return at


class SeparatedBody(scipy.sparse.linalg.LinearOperator):
    """The inverse of balance W balance^T without the averages, where components do not feel each other.

    Their variables separate: along every axis modes are the eigenvectors of D W D^T, D the differences.
    """

    def __init__(self, domain: Domain, shape: tuple[int, ...]):
        d = len(shape)
        super().__init__(np.dtype(float), (d * math.prod(shape),) * 2)
        self.modes, self.sizes = [], torch.zeros(d, *shape, dtype=torch.float64)
        for axis, (n, h, faces) in enumerate(zip(shape, Grid(domain, shape).spacing, domain.boundary, strict=True)):
            weights, D = np.ones(n + 1), _difference(n, h).toarray()
            weights[[0, -1]] = [2.0 * (condition == "dirichlet") for condition in faces]
            eigenvalues, eigenvectors = torch.linalg.eigh(torch.from_numpy(D * weights @ D.T))
            share = torch.full((d,), 0.5, dtype=torch.float64)
            share[axis] = 1.0
            self.sizes += torch.outer(share, eigenvalues).view(-1, *(n if k == axis else 1 for k in range(d)))
            self.modes.append(eigenvectors)

    def _matvec(self, x: Float[Array, " rows"]) -> Float[Array, " rows"]:
        parts = apply_axes([V.mT for V in self.modes], torch.from_numpy(x).view(self.sizes.shape))
        return apply_axes(self.modes, parts / self.sizes).flatten().numpy()


def _difference(n: int, h: float) -> sp.csr_array:
    return sp.csr_array(sp.diags_array([-np.ones(n), np.ones(n)], offsets=[0, 1], shape=(n, n + 1)) / h)


def _average(n: int) -> sp.csr_array:
    return sp.csr_array(sp.diags_array([np.ones(n), np.ones(n)], offsets=[0, 1], shape=(n, n + 1)) / 2)
