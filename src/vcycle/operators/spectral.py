"""Spectral operators W = S diag(R_k) A in the basis that fits the boundary conditions."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.spaces import Basis, Space


class Spectral(LinearOperator):
    """W u = sum_k phi_k R_k (u, phi_k): analyse, multiply each mode's channels by a matrix, synthesise.

    phi_k is the basis of the domain: sines where Dirichlet, cosines where Neumann, Fourier where periodic; `modes` per
    axis are kept, fewer on grids that carry fewer. The same function comes out on every grid that carries the modes.
    For the complex multiplier of FNO, which commutes with translations, see Fourier.
    """

    def __init__(self, source: Space, target: Space, modes: Sequence[int]):
        super().__init__(source, target, frozenset({"refines"}))
        if len(modes) != source.domain.dimension:
            raise ValueError(f"got modes {tuple(modes)} for {source.domain}: give one number per axis")
        self.basis = Basis(source.domain, source.placement, tuple(modes))
        deviation = math.sqrt(2 / (source.channels + target.channels))
        self.weight = nn.Parameter(deviation * torch.randn(source.channels, target.channels, *modes))

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        c = self.basis.analyse(u)
        kept = (slice(None), slice(None), *(slice(m) for m in c.shape[2:]))
        return self.basis.synthesise(torch.einsum("bi...,io...->bo...", c, self.weight[kept]), tuple(u.shape[2:]))

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """max_k ||R_k||_2: the modes are orthogonal on every grid too."""
        matrices = self.weight.detach().double().flatten(2).movedim(-1, 0)
        return float(torch.linalg.matrix_norm(matrices, 2).max())

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, modes={self.basis.modes}"
