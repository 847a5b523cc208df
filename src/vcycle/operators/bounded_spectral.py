"""A spectral operator whose norm cannot exceed a given number."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.pointwise import mix_channels
from vcycle.spaces import Basis, Space

Matrices = tuple[Float[Tensor, "i o *modes"], Float[Tensor, "i o"]]


class BoundedSpectral(LinearOperator):
    """W u = sum_k phi_k M_k (u, phi_k) over the kept modes, and M u on all the others, with ||W|| <= `norm` always.

    phi_k is the orthonormal basis of the domain, so ||W|| is the largest ||M_k||_2 or ||M||_2. Every matrix is the
    parameter, divided by what Schur's test says of it, sqrt(max row sum * max column sum) >= ||M_k||_2, where that is
    more than `norm`: the bound holds for any parameters, at every step of a training, and has a gradient.
    """

    def __init__(self, space: Space, modes: Sequence[int], norm: float):
        super().__init__(space, space, frozenset({"refines"}))
        if len(modes) != space.domain.dimension or min(modes) < 1:
            raise ValueError(f"got modes {tuple(modes)} for {space.domain}: give one number per axis, each 1 or more")
        self.norm = norm
        self.basis = Basis(space.domain, space.placement, tuple(modes))
        deviation = 1 / math.sqrt(space.channels)
        self.weight = nn.Parameter(deviation * torch.randn(space.channels, space.channels, *modes))
        self.rest = nn.Parameter(deviation * torch.randn(space.channels, space.channels))

    def matrices(self) -> Matrices:
        """The matrices M_k and M within the bound, to be computed once where W is applied many times."""
        return _within(self.weight, self.norm), _within(self.rest, self.norm)

    def forward(self, u: Float[Tensor, "b i *grid"], matrices: Matrices | None = None) -> Float[Tensor, "b o *grid"]:
        """W u, with the matrices at hand or computed."""
        low, rest = self.matrices() if matrices is None else matrices
        c = self.basis.analyse(u)
        kept = (slice(None), slice(None), *(slice(m) for m in c.shape[2:]))
        ones = (1,) * (c.ndim - 2)
        correction = torch.einsum("bi...,io...->bo...", c, low[kept] - rest.view(*rest.shape, *ones))
        return mix_channels(rest.mT, u) + self.basis.synthesise(correction, tuple(u.shape[2:]))

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """max_k ||M_k||_2 and ||M||_2: the modes are orthogonal on every grid too."""
        low, rest = self.matrices()
        everything = torch.cat([low.detach().double().flatten(2).movedim(-1, 0), rest.detach().double()[None]])
        return float(torch.linalg.matrix_norm(everything, 2).max())

    def extra_repr(self) -> str:
        return f"{self.source.channels} channels, modes={self.basis.modes}, norm <= {self.norm:g}"


def _within(matrix: Tensor, norm: float) -> Tensor:
    size = matrix.abs()
    bound = (size.sum(0, keepdim=True).amax(1, keepdim=True) * size.sum(1, keepdim=True).amax(0, keepdim=True)).sqrt()
    return matrix * (norm / bound.clamp_min(norm))
