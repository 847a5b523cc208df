"""Symmetric operators that couple every cell with its 3^d - 1 neighbours: the stiffness of finite elements."""

import math
from itertools import product

import scipy.sparse as sp
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.elements import ghost_weights, require_cells, subcell_volume, subcells
from vcycle.spaces import Domain, Grid, Space

Field = Float[Tensor, "b c *grid"]
Moduli = Float[Tensor, "..."]  # (b, c, d, c, d, 2^d or 1, *grid): flux in (c, d) per gradient in (c, d) of a subcell
Coefficients = Float[Tensor, "..."]  # (b, 3^d, c, c, *grid): row, neighbour


class Compact(LinearOperator):
    """(A u)_ci = sum over neighbours s in {-1, 0, 1}^d and components e of k_sce,i u_e,i+s.

    Self-adjoint and positive if it comes from `Compact.assemble`. The right-hand side that belongs to it is the source
    integrated over cells.
    """

    def __init__(self, coefficients: Coefficients, domain: Domain):
        space = Space(domain, coefficients.shape[2])
        super().__init__(space, space, frozenset({"self_adjoint", "positive"}))
        self.domain = domain
        self.register_buffer("k", coefficients)

    k: Tensor

    @classmethod
    def assemble(cls, moduli: Moduli, domain: Domain, reaction: Field | None = None) -> "Compact":
        """The operator of (C grad u, grad v) + (r u, v) on multilinear elements (operators.elements), r lumped."""
        d = domain.dimension
        shape = tuple(moduli.shape[6:])
        require_cells(shape)
        k = _element_sums(moduli, domain)
        for axis in range(d):
            k = _without_ghosts(k, axis, domain)
        if reaction is not None:
            volume = math.prod(Grid(domain, shape).spacing)
            for c in range(k.shape[2]):
                k[:, 3**d // 2, c, c] += reaction[:, min(c, reaction.shape[1] - 1)] * volume
        return cls(k, domain)

    @property
    def diagonal(self) -> Field:
        """The entries with s = 0 and c = e."""
        return self.k[:, 3**self.domain.dimension // 2].diagonal(dim1=1, dim2=2).movedim(-1, 1)

    def forward(self, u: Field) -> Field:
        d, shape = self.domain.dimension, u.shape[2:]
        extended = u
        for axis in range(d):
            extended = _extend(extended, axis - d, self.domain.periodic(axis))
        out = torch.zeros_like(u)
        for index, shift in enumerate(product((0, 1, 2), repeat=d)):
            v = extended
            for axis, start in enumerate(shift):
                v = v.narrow(axis - d, start, shape[axis])
            for row in range(u.shape[1]):
                for column in range(u.shape[1]):
                    out[:, row].addcmul_(self.k[:, index, row, column], v[:, column])
        return out

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """Gershgorin: the largest sum of absolute values in a row."""
        return float(self.k.abs().sum((1, 3)).max())

    def to_scipy(self, sample: int) -> sp.csc_array:
        """The matrix of one sample; rows and columns are (channel, *grid)."""
        d, channels, shape = self.domain.dimension, self.k.shape[2], self.k.shape[4:]
        number = torch.arange(channels * math.prod(shape)).view(channels, *shape)
        rows, columns, values = [], [], []
        for index, shift in enumerate(product((-1, 0, 1), repeat=d)):
            neighbours = number.roll([-s for s in shift], list(range(1, d + 1)))
            for row in range(channels):
                for column in range(channels):
                    rows.append(number[row].flatten())
                    columns.append(neighbours[column].flatten())
                    values.append(self.k[sample, index, row, column].flatten())
        entries = torch.cat(values).numpy(force=True), (torch.cat(rows).numpy(), torch.cat(columns).numpy())
        matrix = sp.csc_array(entries, shape=(number.numel(), number.numel()))
        matrix.eliminate_zeros()  # the neighbours beyond the faces
        return matrix


def _extend(u: Tensor, dim: int, periodic: bool) -> Tensor:
    if periodic:
        return torch.cat([u.narrow(dim, u.shape[dim] - 1, 1), u, u.narrow(dim, 0, 1)], dim)
    return F.pad(u, [0, 0] * (-dim - 1) + [1, 1])


def _element_sums(moduli: Tensor, domain: Domain) -> Tensor:
    """The operator on cells and ghosts, before the ghosts are expressed by the cells: (b, 3^d, c, c, *grid + 2)."""
    d, shape = domain.dimension, tuple(moduli.shape[6:])
    batch, channels = moduli.shape[:2]
    spacing, weight = Grid(domain, shape).spacing, subcell_volume(domain, shape)
    k = moduli.new_zeros(batch, 3**d, channels, channels, *(n + 2 for n in shape))
    corners = list(product((0, 1), repeat=d))
    pairs = list(product(range(2**d), repeat=2))
    for number, sides in enumerate(subcells(d)):
        C = moduli[:, :, :, :, :, number if moduli.shape[5] > 1 else 0].movedim((2, 4), (0, 1)) * weight
        # The slopes of the basis functions that are 1 at a corner, in every direction.
        slopes = C.new_tensor([[_slope(corner, j, sides, spacing) for j in range(d)] for corner in corners])
        products = torch.einsum("ik,jl->ijkl", slopes, slopes).view(len(pairs), d * d)
        local = (products @ C.reshape(d * d, -1)).view(-1, *C.shape[2:])
        for (i, j), entry in zip(pairs, local, strict=True):
            shift = [side * (q - p) for side, p, q in zip(sides, corners[i], corners[j], strict=True)]
            target = k[:, sum((s + 1) * 3 ** (d - 1 - axis) for axis, s in enumerate(shift))]
            for axis, n in enumerate(shape):
                target = target.narrow(axis - d, 1 + sides[axis] * corners[i][axis], n)
            target += entry
    return k


def _slope(corner: tuple[int, ...], direction: int, sides: tuple[int, ...], spacing: tuple[float, ...]) -> float:
    factors = [
        (sides[axis] if far else -sides[axis]) / spacing[axis] if axis == direction else (0.25 if far else 0.75)
        for axis, far in enumerate(corner)
    ]
    return math.prod(factors)


def _without_ghosts(k: Tensor, axis: int, domain: Domain) -> Tensor:
    """Rows and columns of the two ghosts of an axis added to those of the cells that they are combinations of."""
    d = domain.dimension
    dim = axis - d
    k = k.unflatten(1, (3,) * d).movedim((axis + 1, dim), (0, 1)).contiguous()  # (shift, position, ...)
    n = k.shape[1] - 2
    if domain.periodic(axis):
        k[:, n] += k[:, 0]
        k[:, 1] += k[:, n + 1]
    else:
        low, high = (ghost_weights(condition) for condition in domain.boundary[axis])
        _fold(k, low, ghost=0, inward=1)
        _fold(k, high, ghost=n + 1, inward=-1)
    return k[:, 1:-1].movedim((0, 1), (axis + 1, dim)).flatten(1, d)


def _fold(k: Tensor, weights: tuple[float, float], ghost: int, inward: int) -> None:
    near, far = weights
    first, second = ghost + inward, ghost + 2 * inward
    out, stay, into = 1 - inward, 1, 1 + inward  # the shifts away from the cells, none, and towards them
    across, own = k[out, first].clone(), k[stay, ghost].clone()
    row = near * own + k[into, ghost]  # the ghost's row on the first cell
    k[stay, first] += near * across + near * row
    k[into, first] += far * across + near * far * own
    k[out, second] += far * row
    k[stay, second] += far * far * own
    k[out, first] = 0
