"""Sparse triangular factors with the pattern of the matrix: L L^T close to A, and its inverse as an operator."""

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.spaces import Domain, Space

Field = Float[Tensor, "b 1 *grid"]


@dataclass(frozen=True)
class SparseFactor:
    """L with (L u)_x = diagonal_x u_x + sum over axes i of lower_i,x u_(x - e_i): cells in row-major order.

    This is the pattern of the lower triangle of a FiniteVolume without periodic axes. diagonal > 0, so that L L^T is
    self-adjoint and positive; lower_i is not looked at in the first cells of axis i.
    """

    diagonal: Field
    lower: tuple[Field, ...]

    def product(self, u: Field) -> Field:
        """L L^T u."""
        v, dims = self.diagonal * u, range(2, u.ndim)
        for dim, lower in zip(dims, self.lower, strict=True):
            n = u.shape[dim]
            v = v + _pad((lower * u).narrow(dim, 1, n - 1), dim, last=True)
        w = self.diagonal * v
        for dim, lower in zip(dims, self.lower, strict=True):
            n = u.shape[dim]
            w = w + _pad(lower.narrow(dim, 1, n - 1) * v.narrow(dim, 0, n - 1), dim, last=False)
        return w

    def to_scipy(self, sample: int) -> sp.csc_array:
        """The matrix L of one sample."""
        shape = tuple(self.diagonal.shape[2:])
        number = np.arange(math.prod(shape)).reshape(shape)
        entries = [(self.diagonal[sample, 0].numpy(force=True).ravel(), number.ravel(), number.ravel())]
        for axis, lower in enumerate(self.lower):
            values = np.moveaxis(lower[sample, 0].numpy(force=True), axis, 0)
            index = np.moveaxis(number, axis, 0)
            entries.append((values[1:].ravel(), index[1:].ravel(), index[:-1].ravel()))
        values, rows, columns = (np.concatenate(parts) for parts in zip(*entries, strict=True))
        return sp.csc_array((values, (rows, columns)), shape=(number.size, number.size))

    def inverse(self, domain: Domain) -> "FactorInverse":
        return FactorInverse(self, domain)


class FactorInverse(LinearOperator):
    """B = (L L^T)^-1 by two triangular solves a sample, on the processor: self-adjoint and positive."""

    def __init__(self, factor: SparseFactor, domain: Domain):
        super().__init__(Space(domain), Space(domain), frozenset({"self_adjoint", "positive"}))
        self.triangles = [_triangle(factor.to_scipy(sample)) for sample in range(factor.diagonal.shape[0])]
        self.register_buffer("diagonal", factor.diagonal.detach())

    def forward(self, u: Field) -> Field:
        rows = u.flatten(1).numpy(force=True).astype(np.float64)
        solved = [t.solve(t.solve(row), "T") for t, row in zip(self.triangles, rows, strict=True)]
        return torch.from_numpy(np.stack(solved)).view(u.shape).to(u)

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        return None


def incomplete_cholesky(A: FiniteVolume) -> SparseFactor:
    """IC(0): L with the pattern of A and L L^T = A on that pattern; A without periodic axes.

    The pivots p_x = A_xx - sum_i k_i,x^2 / p_(x - e_i) are found front by front, x_1 + ... + x_d = 0, 1, 2, ...
    Source: Meijerink and van der Vorst 1977.
    """
    k = couplings(A)
    shape = tuple(A.diagonal.shape[2:])
    fronts = torch.stack(torch.meshgrid(*[torch.arange(n) for n in shape], indexing="ij")).sum(0).flatten()
    order = fronts.argsort().to(A.diagonal.device).split(torch.bincount(fronts).tolist())
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    pivots, squares = A.diagonal.flatten(1).clone(), [c.square().flatten(1) for c in k]
    for cells in order[1:]:
        for stride, square in zip(strides, squares, strict=True):
            pivots[:, cells] -= square[:, cells] / pivots[:, (cells - stride).clamp(min=0)]
    diagonal = pivots.view_as(A.diagonal).sqrt()
    return SparseFactor(diagonal, tuple(-c / before(diagonal, axis) for axis, c in enumerate(k)))


def couplings(A: FiniteVolume) -> tuple[Field, ...]:
    """The conductance from every cell to the one before it along every axis, 0 in the first cells.

    Raises ValueError for a periodic axis, whose last cells couple to the first ones.
    """
    if any(A.domain.periodic(axis) for axis in range(A.domain.dimension)):
        raise ValueError(f"a sparse factor is offered without periodic axes, got {A.domain}: take a V-cycle there")
    out = []
    for axis, k in enumerate(A.faces):
        dim, n = axis + 2, A.diagonal.shape[axis + 2]
        out.append(_pad(k.narrow(dim, 1, n - 1), dim, last=False))
    return tuple(out)


def before(u: Field, axis: int) -> Field:
    """u in the cell before, its own value in the first cells."""
    dim = axis + 2
    return torch.cat([u.narrow(dim, 0, 1), u.narrow(dim, 0, u.shape[dim] - 1)], dim)


def _pad(u: Tensor, dim: int, *, last: bool) -> Tensor:
    zero = u.new_zeros([*u.shape[:dim], 1, *u.shape[dim + 1 :]])
    return torch.cat([u, zero] if last else [zero, u], dim)


def _triangle(matrix: sp.csc_array) -> scipy.sparse.linalg.SuperLU:
    """SuperLU without reordering."""
    return scipy.sparse.linalg.splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0)
