"""Symmetric operators that couple every cell with its 3^d - 1 neighbours: the stiffness of finite elements."""

import math
from itertools import product

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from vcycle.operators.base import LinearOperator, differentiated
from vcycle.operators.elements import require_cells
from vcycle.operators.stiffness import stiffness
from vcycle.spaces import Domain, Grid, Space, at_once

Field = Float[Tensor, "b c *grid"]
Moduli = Float[Tensor, "..."]  # (b, c, d, c, d, 2^d or 1, *grid): flux in (c, d) per gradient in (c, d) of a subcell
Coefficients = Float[Tensor, "..."]  # (b, c, c, 3^d, *grid): component of the row, of the neighbour, and its shift
FLOATING = 1e-5  # relative row sums below are rounding, in single precision
Numbers = Int[np.ndarray, " _"]
LARGE = 2**16  # values from which on it is faster to add pair of neighbours by pair
PRODUCTS = 2**18  # numbers at a time on the processor, so that they stay in the cache


class Compact(LinearOperator):
    """(A u)_ci = sum over neighbours s in {-1, 0, 1}^d and components e of k_ces,i u_e,i+s.

    Self-adjoint and positive if it comes from `Compact.assemble`. The right-hand side that belongs to it is the source
    integrated over cells.
    """

    def __init__(self, coefficients: Coefficients, domain: Domain):
        space = Space(domain, coefficients.shape[1])
        super().__init__(space, space, frozenset({"self_adjoint", "positive"}))
        self.domain = domain
        self.register_buffer("k", coefficients)

    k: Tensor

    @classmethod
    def assemble(cls, moduli: Moduli, domain: Domain, reaction: Field | None = None) -> "Compact":
        """The operator of (C grad u, grad v) + (r u, v) on multilinear elements (operators.elements), r lumped."""
        shape = tuple(moduli.shape[6:])
        require_cells(shape)
        k = stiffness(moduli, domain)
        if reaction is not None:
            k.diagonal(dim1=1, dim2=2)[:, 3**domain.dimension // 2] += (
                reaction * math.prod(Grid(domain, shape).spacing)
            ).movedim(1, -1)
        return cls(k, domain)

    @property
    def diagonal(self) -> Field:
        """The entries with s = 0 and c = e."""
        return self.k.diagonal(dim1=1, dim2=2)[:, 3**self.domain.dimension // 2].movedim(-1, 1)

    def stencil(self, rows: slice = slice(None)) -> dict[tuple[int, ...], Float[Tensor, "b *grid"]]:
        """The entries of A for some samples, by shifts; A of a single component."""
        shifts = product((-1, 0, 1), repeat=self.domain.dimension)
        return dict(zip(shifts, self.k[rows, 0, 0].unbind(1), strict=True))

    def to_dtype(self, dtype: torch.dtype) -> "Compact":
        """A copy in another precision."""
        return Compact(self.k.to(dtype), self.domain)

    @property
    def size(self) -> int:
        """Unknowns of one sample."""
        return self.k[0, :, 0, 0].numel()

    @property
    def floating(self) -> bool:
        """Whether A annihilates constants: neither a Dirichlet face nor a reaction."""
        if not self.domain.floating:
            return False
        rows = self.k.sum((2, 3)).abs().flatten(1).amax(1)
        return bool((rows < FLOATING * self.diagonal.flatten(1).amax(1)).all())

    def forward(self, u: Field) -> Field:
        if self._by_pairs(u):
            return self._add(torch.zeros_like(u), u, 1)
        d, neighbours = self.domain.dimension, u
        for axis in range(d):
            neighbours = _extend(neighbours, axis - d, self.domain.periodic(axis))
        for dim, n in enumerate(u.shape[2:], start=2):
            neighbours = neighbours.unfold(dim, n, 1)  # (b, c, 3, ..., 3, *grid), a view
        k = self.k.unflatten(3, (3,) * d)
        samples = max(1, at_once(PRODUCTS, k) // k[0].numel())
        chunks = zip(k.split(samples), neighbours.split(samples), strict=True)
        return torch.cat([(values * v[:, None]).flatten(2, 2 + d).sum(2) for values, v in chunks])

    def residual(self, f: Field, u: Field) -> Field:
        """f - A u in one pass where that is faster, with the rounding of the diagonal times u."""
        return self._add(f.clone(), u, -1) if self._by_pairs(f, u) else f - self(u)

    def _by_pairs(self, *fields: Field) -> bool:
        return fields[0].numel() >= LARGE and not differentiated(*fields)

    def _add(self, out: Field, u: Field, sign: int) -> Field:
        """out += sign A u in place, pair of neighbours by pair: A is symmetric, so half of its entries are read."""
        d, middle = self.domain.dimension, 3**self.domain.dimension // 2
        components = list(product(range(u.shape[1]), repeat=2))
        for row, column in components:
            out[:, row].addcmul_(self.k[:, row, column, middle], u[:, column], value=sign)
        for index, shift in list(enumerate(product((-1, 0, 1), repeat=d)))[middle + 1 :]:
            axes = zip(shift, u.shape[2:], map(self.domain.periodic, range(d)), strict=True)
            for parts in product(*(_facing(*axis) for axis in axes)):
                here, there = (tuple(part[side] for part in parts) for side in (0, 1))
                for row, column in components:
                    k = self.k[:, row, column, index][:, *here]
                    out[:, row][:, *here].addcmul_(k, u[:, column][:, *there], value=sign)
                    out[:, column][:, *there].addcmul_(k, u[:, row][:, *here], value=sign)
        return out

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """Gershgorin: the largest sum of absolute values in a row."""
        return float(self.k.abs().sum((2, 3)).max())

    def dense(self) -> Float[Tensor, "b n n"]:
        """The matrix, for small grids; rows and columns are (channel, *grid)."""
        rows, columns, places = (torch.from_numpy(part).to(self.k.device) for part in self.couplings())
        out = self.k.new_zeros(self.k.shape[0], self.size, self.size)
        out[:, rows, columns] = self.k.flatten(1)[:, places]
        return out

    def couplings(self) -> tuple[Numbers, Numbers, Numbers]:
        """Rows and columns, each numbering (channel, *grid), of the entries of a sample, and their places in its k."""
        d, channels, shape = self.domain.dimension, self.k.shape[1], tuple(self.k.shape[4:])
        number = torch.arange(channels * math.prod(shape)).view(channels, *shape)
        place = torch.arange(self.k[0].numel()).view(self.k.shape[1:])
        rows, columns, places = [], [], []
        for index, shift in enumerate(product((-1, 0, 1), repeat=d)):
            across = number.roll([-s for s in shift], list(range(1, d + 1)))
            parts = [number[:, None], across[None], place[:, :, index]]
            for axis, s in enumerate(shift):
                if not self.domain.periodic(axis):  # nothing lies beyond the faces
                    parts = [part.narrow(axis - d, max(-s, 0), shape[axis] - abs(s)) for part in parts]
            for out, part in zip((rows, columns, places), torch.broadcast_tensors(*parts), strict=True):
                out.append(part.flatten())
        row, column, entry = (torch.cat(out).numpy() for out in (rows, columns, places))
        return row, column, entry

    def to_scipy(self, sample: int) -> sp.csc_array:
        """The matrix of one sample; rows and columns are (channel, *grid)."""
        rows, columns, places = self.couplings()
        entries = self.k[sample].flatten().numpy(force=True)[places]
        return sp.csc_array((entries, (rows, columns)), shape=(self.size, self.size))


def _extend(u: Tensor, dim: int, periodic: bool) -> Tensor:
    if periodic:
        return torch.cat([u.narrow(dim, u.shape[dim] - 1, 1), u, u.narrow(dim, 0, 1)], dim)
    return F.pad(u, [0, 0] * (-dim - 1) + [1, 1])


def _facing(shift: int, n: int, periodic: bool) -> list[tuple[slice, slice]]:
    """The cells of an axis that have a neighbour at a shift, and these neighbours."""
    if shift == 0:
        return [(slice(n), slice(n))]
    pairs = [(slice(n - 1), slice(1, n))] + [(slice(n - 1, n), slice(1))] * periodic
    return pairs if shift > 0 else [(there, here) for here, there in pairs]
