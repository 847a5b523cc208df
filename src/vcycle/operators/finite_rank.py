"""Operators of finite rank, W u = sum_r phi_r (psi_r, u): integral operators with a separable kernel."""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import LinearOperator
from vcycle.spaces import Domain, Grid, Space


class Functions(nn.Module, ABC):
    """`count` functions on a domain: (b, d, *grid) points of the unit box to (b, count, *grid) values.

    More channels may follow the points, for functions that depend on a field as well. Many functions in the span of a
    few should override `factors`: sums and integrals of all of them then cost as much as those of the few.
    """

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    @abstractmethod
    def forward(self, points: Float[Tensor, "b d *grid"]) -> Float[Tensor, "b count *grid"]:
        """Their values at these points."""

    def factors(self, points: Float[Tensor, "b d *grid"]) -> "Factors":
        """M and h with f = M h, a matrix and functions that span f: here 1 and f itself."""
        values = self(points)
        return torch.eye(self.count, dtype=values.dtype, device=values.device), values

    @abstractmethod
    def bound(self) -> float | None:
        """A number >= (sum of the squares of all functions)^(1/2) at every point of the box, or None."""


Factors = tuple[Float[Tensor, "_ _"], Float[Tensor, "_ _ ..."]]  # M and h


class FiniteRank(LinearOperator):
    """(W u)_o(x) = sum_r phi_or(x) c_r,   c_r = sum_i integral of psi_ir(y) u_i(y) dy,   r = 1, ..., rank.

    phi holds target.channels x rank functions, psi source.channels x rank; the integral is the quadrature of the grid,
    so the same parameters are one operator at every resolution, and W is a matrix of rank `rank` at most.
    With `entries` every pair of channels has functions of its own, (W u)_o = sum_ir phi_oir (psi_oir, u_i): then the
    block of each pair has rank `rank` at most. Source: P151, low-rank neural operator; its
    release has entries.
    """

    def __init__(
        self, source: Space, target: Space, phi: Functions, psi: Functions, rank: int, *, entries: bool = False
    ):
        pairs = source.channels * target.channels
        expected = (pairs * rank,) * 2 if entries else (target.channels * rank, source.channels * rank)
        if (phi.count, psi.count) != expected:
            raise ValueError(
                f"an operator of rank {rank} from {source.channels} to {target.channels} channels has phi and psi of "
                f"{expected[0]} and {expected[1]} functions, got {phi.count} and {psi.count}"
            )
        super().__init__(source, target, frozenset({"refines"}))
        self.rank, self.entries = rank, entries
        self.phi, self.psi = phi, psi

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        points = unit_points(self.source, u)
        phi, psi = self.phi.factors(points), self.psi.factors(points)
        return separable(phi, psi, u, self.source, self.target, entries=self.entries)

    def adjoint(self) -> LinearOperator:
        """W* v = sum_r psi_r (phi_r, v)."""
        phi, psi = self.phi, self.psi
        if self.entries:
            shape = (self.target.channels, self.source.channels, self.rank)
            phi, psi = _Transposed(phi, shape), _Transposed(psi, shape)
        return FiniteRank(self.target, self.source, psi, phi, self.rank, entries=self.entries)

    def norm_bound(self) -> float | None:
        """Volume times the bounds of |phi| and |psi|, by Cauchy-Schwarz in the channels, the rank and the domain."""
        phi, psi = self.phi.bound(), self.psi.bound()
        return None if phi is None or psi is None else phi * psi * math.prod(self.source.domain.lengths)

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, rank={self.rank}, entries={self.entries}"


def separable(
    phi: Factors,
    psi: Factors,
    u: Float[Tensor, "b i *grid"],
    source: Space,
    target: Space,
    *,
    entries: bool,
) -> Float[Tensor, "b o *grid"]:
    """sum_r phi_r (psi_r, u) from the factors of phi and psi, one set of functions for all samples or one for each.

    With phi = M g and psi = N h it is g^T (M^T N (h, u)): no more than the moments (h, u) needs a pass over the points.
    """
    (M, g), (N, h), i, o = phi, psi, source.channels, target.channels
    weighted = (u * source.weights(u)).flatten(2)
    moments = weighted @ _per_sample(h).mT
    if entries:
        c = torch.einsum("oirk,bik->boir", N.unflatten(0, (o, i, -1)), moments)
        combined = torch.einsum("oirk,boir->bok", M.unflatten(0, (o, i, -1)), c)
    else:
        c = torch.einsum("irk,bik->br", N.unflatten(0, (i, -1)), moments)
        combined = torch.einsum("ork,br->bok", M.unflatten(0, (o, -1)), c)
    return (combined @ _per_sample(g)).unflatten(-1, u.shape[2:])


def _per_sample(h: Float[Tensor, "b k *grid"]) -> Float[Tensor, "..."]:
    """(k, points) where all samples have the same functions: one product of matrices serves all of them."""
    values = h.flatten(2)
    return values[0] if len(values) == 1 else values


def unit_points(space: Space, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "1 d *grid"]:
    """The points that u is sampled at, in the unit box."""
    domain = space.domain
    box = Domain.unit(domain.dimension, domain.boundary)
    return torch.stack(Grid(box, tuple(u.shape[2:]), space.placement).mesh())[None].to(u)


class _Transposed(Functions):
    """The functions numbered (i, o, r) instead of (o, i, r)."""

    def __init__(self, functions: Functions, shape: tuple[int, int, int]):
        super().__init__(functions.count)
        self.functions, self.shape = functions, shape

    def forward(self, points: Float[Tensor, "b d *grid"]) -> Float[Tensor, "b count *grid"]:
        return self.functions(points).unflatten(1, self.shape).transpose(1, 2).flatten(1, 3)

    def factors(self, points: Float[Tensor, "b d *grid"]) -> Factors:
        M, h = self.functions.factors(points)
        return M.unflatten(0, self.shape).transpose(0, 1).flatten(0, 2), h

    def bound(self) -> float | None:
        return self.functions.bound()
