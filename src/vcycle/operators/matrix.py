"""An assembled sparse matrix as an operator on fields."""

import math

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.spaces import Grid, Space


class Matrix(LinearOperator):
    """W u = M u for a sparse matrix on one grid: rows and columns are (channel, *grid) in row-major order.

    `matrix` is anything scipy.sparse takes, or a torch sparse tensor; `shape` is the source grid, `target_shape` the
    target grid where it differs. The entries are float64 buffers: they follow .to(dtype) and .to(device).
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        matrix: scipy.sparse.sparray | scipy.sparse.spmatrix | Tensor,
        shape: tuple[int, ...],
        target_shape: tuple[int, ...] | None = None,
        tags: frozenset[str] = frozenset(),
    ):
        super().__init__(source, target, tags)
        self.shape, self.target_shape = tuple(shape), tuple(target_shape or shape)
        entries = scipy.sparse.coo_array(_to_scipy(matrix))
        entries.sum_duplicates()
        expected = (target.channels * math.prod(self.target_shape), source.channels * math.prod(self.shape))
        if entries.shape != expected:
            raise ValueError(
                f"a matrix of shape {entries.shape} does not map {source.channels} x {self.shape} to "
                f"{target.channels} x {self.target_shape} values: expected {expected}"
            )
        self.register_buffer("indices", torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64)))
        self.register_buffer("values", torch.from_numpy(entries.data.astype(np.float64)))

    indices: Tensor
    values: Tensor

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        if tuple(u.shape[2:]) != self.shape:
            raise ValueError(
                f"this Matrix was assembled on a grid of shape {self.shape}, got {tuple(u.shape[2:])}: assemble another"
            )
        size = (self.target.channels * math.prod(self.target_shape), u[0].numel())
        entries = self.values.to(u)
        matrix = torch.sparse_coo_tensor(self.indices, entries, size, is_coalesced=True, check_invariants=False)
        product = torch.sparse.mm(matrix, u.flatten(1).mT)
        return product.mT.reshape(u.shape[0], self.target.channels, *self.target_shape)

    def adjoint(self) -> LinearOperator:
        """M_source^-1 M^T M_target, again a Matrix."""
        if "self_adjoint" in self.tags:
            return self
        row, column = self._weights()
        transposed = (scipy.sparse.diags_array(1 / column) @ self.to_scipy().T @ scipy.sparse.diags_array(row)).tocoo()
        adjoint = Matrix(self.target, self.source, transposed, self.target_shape, self.shape, self.tags)
        return adjoint.to(self.values.device, self.values.dtype)

    def norm_bound(self) -> float | None:
        """Schur's test for D_t^1/2 M D_s^-1/2, D the quadrature weights: sqrt(max row sum * max column sum)."""
        row, column = (np.sqrt(weights) for weights in self._weights())
        scaled = abs(scipy.sparse.diags_array(row) @ self.to_scipy() @ scipy.sparse.diags_array(1 / column))
        return float(np.sqrt(scaled.sum(axis=0).max() * scaled.sum(axis=1).max()))

    def to_scipy(self) -> scipy.sparse.csr_array:
        """The matrix for SciPy's solvers."""
        row, column = self.indices.cpu().numpy()
        shape = (self.target.channels * math.prod(self.target_shape), self.source.channels * math.prod(self.shape))
        return scipy.sparse.coo_array((self.values.cpu().double().numpy(), (row, column)), shape=shape).tocsr()

    def _weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Quadrature weights of rows and columns."""

        def of(space: Space, shape: tuple[int, ...]) -> np.ndarray:
            weights = Grid(space.domain, shape, space.placement).weights().flatten()
            return weights.repeat(space.channels).numpy()

        return of(self.target, self.target_shape), of(self.source, self.shape)

    def extra_repr(self) -> str:
        return f"{self.shape} -> {self.target_shape}, {self.values.numel()} entries"


def _to_scipy(matrix: scipy.sparse.sparray | scipy.sparse.spmatrix | Tensor) -> scipy.sparse.coo_array:
    if not isinstance(matrix, Tensor):
        return scipy.sparse.coo_array(matrix)
    entries = matrix.detach().cpu().to_sparse_coo().coalesce()
    row, column = entries.indices().numpy()
    return scipy.sparse.coo_array((entries.values().numpy(), (row, column)), shape=tuple(entries.shape))
