"""Spectral operators W = S diag(R_k) A in the basis that fits the boundary conditions."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.multiplier import Factorization, largest_norm, multiplied_channels, multiplier, multiply
from vcycle.spaces import Basis, Domain, Space
from vcycle.spaces.domain import BoundaryLike


class Spectral(LinearOperator):
    """W u = sum_k phi_k R_k (u, phi_k): analyse, multiply each mode's channels by a matrix, synthesise.

    phi_k is the basis of the domain: sines where Dirichlet, cosines where Neumann, Fourier where periodic; `modes` per
    axis are kept, fewer on grids that carry fewer. The same function comes out on every grid that carries the modes.

    boundary        conditions that choose the basis instead of the domain's, as Domain takes them
    separable       one number per channel and mode instead of a matrix
    factorization   R as a tensor of low rank: 'tucker', 'cp' (Canonical), 'tt' (TensorTrain); None for a dense one
    rank            of the factorization: its share of the dense parameters, or a list of ranks (LowRank)

    For the complex multiplier of FNO, which commutes with translations, see Fourier.
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        modes: Sequence[int],
        *,
        boundary: BoundaryLike | None = None,
        separable: bool = False,
        factorization: Factorization | None = None,
        rank: int | float | Sequence[int] = 0.1,
    ):
        super().__init__(source, target, frozenset({"refines"}))
        channels = multiplied_channels(source, target, modes, separable)
        self.basis = Basis(_domain_of_basis(source, boundary), source.placement, tuple(modes))
        self.separable = separable
        deviation = math.sqrt(2 / (source.channels + target.channels))
        self.weight = multiplier(channels, modes, deviation, pairs=False, factorization=factorization, rank=rank)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        c = self.basis.analyse(u)
        kept = tuple(slice(m) for m in c.shape[2:])
        v = multiply(self.weight, c, kept, pairs=False, separable=self.separable)
        return self.basis.synthesise(v, tuple(u.shape[2:]))

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """max_k ||R_k||_2: the modes are orthogonal on every grid too."""
        return largest_norm(self.weight, pairs=False, separable=self.separable)

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, modes={self.basis.modes}"


def _domain_of_basis(space: Space, boundary: BoundaryLike | None) -> Domain:
    if boundary is None:
        return space.domain
    domain = Domain(space.domain.extents, boundary)
    axes = range(domain.dimension)
    if space.placement == "vertex" and any(domain.periodic(axis) != space.domain.periodic(axis) for axis in axes):
        raise ValueError(
            f"a basis of {domain} has other vertices than {space.domain}, where periodic axes end one point earlier: "
            "use cells, or a boundary that is periodic on the same axes"
        )
    return domain
