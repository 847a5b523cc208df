"""A learned multigrid preconditioner, self-adjoint and positive for any values of its parameters."""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.preconditioner import LearnedPreconditioner, energy_left
from vcycle.operators import FiniteVolume, Level, LinearOperator, Multigrid, Smoother
from vcycle.operators.flux_transfer import FluxInterpolation, FluxSum
from vcycle.operators.geometric import COARSEST, DenseInverse, short_axes
from vcycle.spaces import Space

Field = Float[Tensor, "b 1 *grid"]


class LearnedMultigrid(LearnedPreconditioner):
    """B: one V-cycle for an assembled A whose smoothers, transfers and coarse operators have learned numbers.

    Smoothing: u <- u + omega_i D^-1 (f - A u), omega_i the inverse Chebyshev nodes of [low, 1] and
        D_x = reaction + sum over faces of k (1 + (D_x^A / D_y^A)^lean),    D^A the diagonal of A.
    As k (u_x - u_y)^2 <= k (1 + t) u_x^2 + k (1 + 1 / t) u_y^2 for any t > 0, A <= D: every smoother contracts in the
    norm of A. With the same smoothers before and after, R = scale P^T and positive coarse operators, B is self-adjoint
    and positive *for any parameters*: conjugate gradients keep their theory.
    Five numbers, one set for the finest grid and one for all others: low, lean, and share, series of the transfers
    (operators.flux_transfer) and scale. Start: nearly operators.geometric_multigrid. They know no mesh width and no
    contrast: fitted on small grids, they serve on any.
    """

    own_steps: ClassVar[int] = 7

    def __init__(self, smoothing: int = 3):
        super().__init__()
        self.smoothing = smoothing
        self.low = nn.Parameter(torch.full((2,), math.log(0.2 / 0.8), dtype=torch.float64))  # of the sigmoid
        self.lean = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.share = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.series = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.log_scale = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def at(self, A: FiniteVolume) -> Multigrid:
        source, levels = A.source, []
        while math.prod(A.diagonal.shape[2:]) > COARSEST:
            own = min(len(levels), 1)
            smoothers = self._smoothers(A, own)
            axes = short_axes(A.domain, tuple(A.diagonal.shape[2:]))
            P = FluxInterpolation(A, axes, self.share[own].to(A.diagonal), self.series[own].to(A.diagonal))
            R = FluxSum(P, self.log_scale[own].exp().to(A.diagonal))
            levels.append(Level(smoothers, smoothers[::-1], A=A, R=R, P=P))
            A = P.coarse
        levels.append(Level([Smoother(DenseInverse(A))]))
        return Multigrid(source, source, levels, frozenset({"self_adjoint", "positive"}))

    def loss(self, A: FiniteVolume, e: Field) -> Float[Tensor, ""]:
        return energy_left(A, e, self.at(A)(A(e))).log().mean()

    def _smoothers(self, A: FiniteVolume, own: int) -> list[Smoother]:
        inverse = 1 / leaning_diagonal(A, self.lean[own].to(A.diagonal))
        low = self.low[own].sigmoid().to(A.diagonal)
        nodes = [math.cos(math.pi * (i + 0.5) / self.smoothing) for i in range(self.smoothing)]
        return [Smoother(Diagonal(A.source, 2 * inverse / (1 + low + (1 - low) * node)), A) for node in nodes]


class Diagonal(LinearOperator):
    """(W u)(x) = w(x) u(x)."""

    def __init__(self, space: Space, values: Field):
        super().__init__(space, space, frozenset({"self_adjoint"}))
        self.values = values

    def forward(self, u: Field) -> Field:
        return self.values * u

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        return float(self.values.abs().max())


def leaning_diagonal(A: FiniteVolume, lean: Float[Tensor, ""]) -> Field:
    """D with A <= D for any lean: the cells of a face share its 4 k as 2 k (1 + t) : 2 k (1 + 1 / t), all halved."""
    D = torch.zeros_like(A.diagonal) if A.reaction is None else A.reaction
    log = A.diagonal.log()
    for axis, k in enumerate(A.faces):
        dim, n = axis - A.domain.dimension, A.diagonal.shape[axis - A.domain.dimension]
        if A.domain.periodic(axis):
            t = torch.exp(lean * (log.roll(1, dim) - log))
            D = D + k * (1 + 1 / t) + (k * (1 + t)).roll(-1, dim)
            continue
        t = torch.exp(-lean * log.diff(dim=dim))
        inside = k.narrow(dim, 1, n - 1)
        first, last = k.narrow(dim, 0, 1), k.narrow(dim, n, 1)
        D = D + torch.cat([inside * (1 + t), last], dim) + torch.cat([first, inside * (1 + 1 / t)], dim)
    return D
