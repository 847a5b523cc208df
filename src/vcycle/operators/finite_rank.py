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

    More channels may follow the points, for functions that depend on a field as well.
    """

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    @abstractmethod
    def forward(self, points: Float[Tensor, "b d *grid"]) -> Float[Tensor, "b count *grid"]:
        """Their values at these points."""

    @abstractmethod
    def bound(self) -> float | None:
        """A number >= (sum of the squares of all functions)^(1/2) at every point of the box, or None."""


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
        phi, psi = self.phi(points)[0], self.psi(points)[0]
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
    phi: Float[Tensor, "..."],
    psi: Float[Tensor, "..."],
    u: Float[Tensor, "b i *grid"],
    source: Space,
    target: Space,
    *,
    entries: bool,
) -> Float[Tensor, "b o *grid"]:
    """sum_r phi_r (psi_r, u) from values of phi and psi: (k, *grid) for all samples, or (b, k, *grid) for each."""
    shape, i, o = u.shape[2:], source.channels, target.channels
    left, right = phi.flatten(-len(shape)), psi.flatten(-len(shape))
    weighted = (u * source.weights(u)).flatten(2)
    if entries:
        left, right = left.unflatten(-2, (o, i, -1)), right.unflatten(-2, (o, i, -1))
        c = torch.einsum("...oirx,...ix->...oir", right, weighted)
        return torch.einsum("...oirx,...oir->...ox", left, c).unflatten(-1, shape)
    left, right = left.unflatten(-2, (o, -1)), right.unflatten(-2, (i, -1))
    c = torch.einsum("...irx,...ix->...r", right, weighted)
    return torch.einsum("...orx,...r->...ox", left, c).unflatten(-1, shape)


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

    def bound(self) -> float | None:
        return self.functions.bound()
