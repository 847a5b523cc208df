"""The finite-volume operator of diffusion and reaction: A u = -div(a grad u) + c u, integrated over every cell."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator, differentiated
from vcycle.spaces import Domain, FaceField, Grid, Space, conductances, difference, divergence

Field = Float[Tensor, "b c *grid"]


class FiniteVolume(LinearOperator):
    """(A u)_cell = r u_cell + sum over its faces of k (u_cell - u_neighbour): self-adjoint, positive semi-definite.

    `faces` are the conductances k >= 0 of every face (spaces.conductances), a batch (b, 1, *grid) at once; on a
    Dirichlet face the neighbour is the boundary value 0, on a Neumann face k = 0. `reaction` is r = c |cell| >= 0, not
    zero in any sample; None where nothing reacts. The right-hand side that belongs to A is the source integrated over
    cells. Built by `FiniteVolume.assemble(a, domain, c)`.
    """

    def __init__(self, faces: FaceField, domain: Domain, reaction: Field | None = None):
        space = Space(domain)
        super().__init__(space, space, frozenset({"self_adjoint", "positive"}))
        self.domain = domain
        for axis, k in enumerate(faces):
            self.register_buffer(f"k{axis}", k)
        self.register_buffer("reaction", reaction)
        diagonal = _diagonal(faces, domain)
        self.register_buffer("diagonal", diagonal if reaction is None else diagonal + reaction)

    @classmethod
    def assemble(cls, a: Field, domain: Domain, reaction: Field | None = None) -> "FiniteVolume":
        """From the coefficient a > 0 and the reaction c >= 0 on cells, (b, 1, *grid).

        Raises ValueError where, without a Dirichlet face, some samples react and others do not: the former have one
        solution, the latter one up to a constant.
        """
        if reaction is None or not bool((reaction > 0).any()):
            return cls(conductances(a, domain), domain)
        if domain.floating and not bool((reaction > 0).flatten(1).any(1).all()):
            raise ValueError(
                f"on {domain} some samples have a reaction and others none, which fix their solutions differently: "
                "put them into batches of their own"
            )
        r = math.prod(Grid(domain, tuple(a.shape[2:])).spacing) * reaction
        return cls(conductances(a, domain), domain, r.expand(torch.broadcast_shapes(a.shape, r.shape)))

    diagonal: Tensor
    reaction: Tensor | None

    @property
    def floating(self) -> bool:
        """Whether A annihilates constants: neither a Dirichlet face nor a reaction."""
        return self.domain.floating and self.reaction is None

    @property
    def faces(self) -> FaceField:
        return tuple(self.get_buffer(f"k{axis}") for axis in range(self.domain.dimension))

    def flux(self, u: Field) -> FaceField:
        """a du/dn |face| through every face, in the direction of its axis."""
        return tuple(k * d for k, d in zip(self.faces, difference(u, self.domain), strict=True))

    def forward(self, u: Field) -> Field:
        if differentiated(self.diagonal, u):
            out = -divergence(self.flux(u), self.domain)
            return out if self.reaction is None else out + self.reaction * u
        return self._add_neighbours(self.diagonal * u, u, -1)

    def residual(self, f: Field, u: Field) -> Field:
        """f - A u in one pass, for smoothing.

        Rounding is that of diagonal times u, because f comes in before neighbours cancel: solvers that judge by the
        last digits subtract A(u).
        """
        if differentiated(self.diagonal, f, u):
            return f - self(u)
        return self._add_neighbours(torch.addcmul(f, self.diagonal, u, value=-1), u, 1)

    def _add_neighbours(self, out: Field, u: Field, sign: int) -> Field:
        """out += sign k u_neighbour over all faces, fused and in place."""
        for axis, k in enumerate(self.faces):
            dim, n = axis - self.domain.dimension, u.shape[axis - self.domain.dimension]
            interior = k.narrow(dim, 1, n - 1)
            low, high = u.narrow(dim, 0, n - 1), u.narrow(dim, 1, n - 1)
            out.narrow(dim, 0, n - 1).addcmul_(interior, high, value=sign)
            out.narrow(dim, 1, n - 1).addcmul_(interior, low, value=sign)
            if self.domain.periodic(axis):
                first, last = u.narrow(dim, 0, 1), u.narrow(dim, n - 1, 1)
                wrap = k.narrow(dim, 0, 1)
                out.narrow(dim, 0, 1).addcmul_(wrap, last, value=sign)
                out.narrow(dim, n - 1, 1).addcmul_(wrap, first, value=sign)
        return out

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """Gershgorin: twice the largest diagonal entry."""
        return 2 * float(self.diagonal.max())

    def coarsen(self, axes: tuple[int, ...]) -> "FiniteVolume":
        """The operator on cells twice as long along `axes`: fine faces between the same coarse cells are in parallel.

        Across a coarsened axis the sum is halved because the cell centres are twice as far apart (Galerkin with
        piecewise constants alone would be twice too stiff). Reactions add. An odd last cell stays a cell of its own.
        """
        coarse = tuple(_coarsen_faces(k, axis, axes, self.domain) for axis, k in enumerate(self.faces))
        reaction = self.reaction
        if reaction is not None:
            for axis in axes:
                reaction = sum_pairs(reaction, axis - self.domain.dimension)
        return FiniteVolume(coarse, self.domain, reaction)

    def stencil(self, rows: slice = slice(None)) -> dict[tuple[int, ...], Float[Tensor, "b *grid"]]:
        """The entries of A for some samples: of a cell and of its neighbours, 0 where there is none, by shifts."""
        d = self.domain.dimension
        found = {(0,) * d: self.diagonal[rows, 0]}
        for axis, faces in enumerate(self.faces):
            k, dim, n = -faces[rows, 0], axis - d, self.diagonal.shape[axis - d]
            if self.domain.periodic(axis):
                below, above = k, k.roll(-1, dim)
            else:
                inner, zero = k.narrow(dim, 1, n - 1), torch.zeros_like(k.narrow(dim, 0, 1))
                below, above = torch.cat([zero, inner], dim), torch.cat([inner, zero], dim)
            for sign, values in ((-1, below), (1, above)):
                found[tuple(sign * (other == axis) for other in range(d))] = values
        return found

    def to_dtype(self, dtype: torch.dtype) -> "FiniteVolume":
        """A copy in another precision."""
        reaction = None if self.reaction is None else self.reaction.to(dtype)
        return FiniteVolume(tuple(k.to(dtype) for k in self.faces), self.domain, reaction)

    def dense(self) -> Float[Tensor, "b n n"]:
        """The matrix, for small grids: (b, cells, cells)."""
        batch, shape = self.diagonal.shape[0], tuple(self.diagonal.shape[2:])
        cells = math.prod(shape)
        unit = torch.eye(cells, dtype=self.diagonal.dtype, device=self.diagonal.device).view(cells, 1, *shape)
        reaction = None if self.reaction is None else self.reaction.repeat_interleave(cells, 0)
        repeated = FiniteVolume(tuple(k.repeat_interleave(cells, 0) for k in self.faces), self.domain, reaction)
        return repeated(unit.repeat(batch, *[1] * (unit.ndim - 1))).view(batch, cells, cells).mT


def _diagonal(faces: FaceField, domain: Domain) -> Tensor:
    """The sum of conductances around every cell."""
    total: Tensor | None = None
    for axis, k in enumerate(faces):
        dim = axis - domain.dimension
        if domain.periodic(axis):
            both = k + k.roll(-1, dim)
        else:
            n = k.shape[dim] - 1
            both = k.narrow(dim, 0, n) + k.narrow(dim, 1, n)
        total = both if total is None else total + both
    assert total is not None
    return total


def _coarsen_faces(k: Tensor, axis: int, axes: tuple[int, ...], domain: Domain) -> Tensor:
    for other in axes:
        if other != axis:
            k = sum_pairs(k, other - domain.dimension)
    if axis not in axes:
        return k
    dim = axis - domain.dimension
    size = k.shape[dim]
    # Along its own axis keep the faces of coarse cells: every second one, and the last where the axis ends.
    kept = list(range(0, size, 2)) if domain.periodic(axis) else [*range(0, size - 1, 2), size - 1]
    return k.index_select(dim, torch.tensor(kept, device=k.device)) / 2


def sum_pairs(u: Tensor, dim: int) -> Tensor:
    """Neighbouring pairs summed along an axis; an odd last entry stays alone."""
    n = u.shape[dim]
    if n % 2:
        head = sum_pairs(u.narrow(dim, 0, n - 1), dim) if n > 1 else u.narrow(dim, 0, 0)
        return torch.cat([head, u.narrow(dim, n - 1, 1)], dim)
    pairs = u.unflatten(dim, (n // 2, 2))
    return pairs.select(dim, 0) + pairs.select(dim, 1)
