"""Transfers and coarse operators that follow the conductances: resistances in series from centre to centre."""

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.spaces import Space

Field = Float[Tensor, "b c *grid"]
Target = Float[Tensor, "b c *target"]
Number = Float[Tensor, ""] | float


class FluxInterpolation(LinearOperator):
    """P = P_1 ... P_d, one axis after the other, from the cells of A coarsened along `axes` to those of A.

    Along an axis (P_i u)(x) = (1 - w) u_I + w u_J, I the coarse cell of x and J the one beyond its outer face, with
    w = share r_I / (r_I + r_J) and the resistances r from x to the centres of I and J. share = 0 is injection, with
    share = 1 constant fluxes along the axis are interpolated exactly. J counts as 0 beyond a Dirichlet face; w = 0 at a
    Neumann face. `coarse` is the coarse operator: its conductances are k^(1 - series) k'^series with k the halved sums
    of FiniteVolume.coarsen and 1 / k' = r_I + r_J. Positive for any share and series. After Wesseling 1992, chapter 5.
    """

    def __init__(self, A: FiniteVolume, axes: tuple[int, ...], share: Number, series: Number):
        super().__init__(Space(A.domain), Space(A.domain))
        self.steps: list[_AlongAxis] = []
        for axis in reversed(axes):
            self.steps.append(_AlongAxis(A, axis, share, series))
            A = self.steps[-1].coarse
        self.coarse = A

    def forward(self, u: Field) -> Target:
        for step in reversed(self.steps):
            u = step.interpolate(u)
        return u

    def adjoint(self) -> LinearOperator:
        raise NotImplementedError("the L2 adjoint of FluxInterpolation is not offered: FluxSum is its transpose")

    def norm_bound(self) -> float | None:
        return None


class FluxSum(LinearOperator):
    """R = scale P^T: from integrals over the cells of the fine grid to integrals over coarse ones."""

    def __init__(self, P: FluxInterpolation, scale: Number = 1.0):
        super().__init__(P.target, P.source)
        self.P, self.scale = P, scale

    def forward(self, u: Field) -> Target:
        for step in self.P.steps:
            u = step.sum(u)
        return self.scale * u

    def adjoint(self) -> LinearOperator:
        raise NotImplementedError("the L2 adjoint of FluxSum is not offered: it is the transpose of its P")

    def norm_bound(self) -> float | None:
        return None


class _AlongAxis:
    """One axis: fine cells take `kept` of their own coarse cell and `taken` of the other one."""

    def __init__(self, A: FiniteVolume, axis: int, share: Number, series: Number):
        k, periodic, dim = A.faces[axis], A.domain.periodic(axis), axis - A.domain.dimension
        n = A.diagonal.shape[dim]
        cell, cells = torch.arange(n, device=k.device), (n + 1) // 2
        first = cell % 2 == 0
        other = cell // 2 + torch.where(first, -1, 1)
        beyond = torch.zeros_like(first) if periodic else (other < 0) | (other >= cells)
        self.dim, self.size = dim, n
        view = [n if i == k.ndim + dim else 1 for i in range(k.ndim)]
        first, beyond, alone = (mask.view(view) for mask in (first, beyond, cell == n - n % 2))
        low, high = (k, k.roll(-1, dim)) if periodic else (k.narrow(dim, 0, n), k.narrow(dim, 1, n))
        inner, outer = torch.where(first, high, low), torch.where(first, low, high)
        # Half the resistance of the face inside I leads to its centre; a cell that is alone is its own I.
        half = torch.where(alone | (inner == 0), 0.0, 0.5 / torch.where(inner == 0, 1.0, inner))
        across = torch.where(outer == 0, torch.inf, 1 / torch.where(outer == 0, 1.0, outer))
        across = across + torch.where(beyond, 0.0, torch.where(first, half.roll(1, dim), half.roll(-1, dim)))
        w = share * half / (half + across)
        self.kept, self.taken = self._pairs(1 - w), self._pairs(torch.where(beyond, 0.0, w))
        self.coarse = _coarse(A, axis, 1 / (half + across), series)

    def interpolate(self, u: Tensor) -> Tensor:
        first = torch.addcmul(self.kept[0] * u, self.taken[0], u.roll(1, self.dim))
        second = torch.addcmul(self.kept[1] * u, self.taken[1], u.roll(-1, self.dim))
        pairs = torch.stack([first, second], u.ndim + self.dim + 1).flatten(u.ndim + self.dim, u.ndim + self.dim + 1)
        return pairs.narrow(self.dim, 0, self.size)

    def sum(self, u: Tensor) -> Tensor:
        first, second = self._pairs(u)
        own = torch.addcmul(self.kept[0] * first, self.kept[1], second)
        # `taken` is 0 beyond the faces, so that rolling wraps nothing but periodic axes.
        return own + (self.taken[0] * first).roll(-1, self.dim) + (self.taken[1] * second).roll(1, self.dim)

    def _pairs(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """The first and the second cell of every pair, 0 where a lone last cell has no second."""
        if self.size % 2:
            u = torch.cat([u, torch.zeros_like(u.narrow(self.dim, 0, 1))], self.dim)
        pairs = u.unflatten(self.dim, (-1, 2))
        return pairs.select(self.dim, 0), pairs.select(self.dim, 1)


def _coarse(A: FiniteVolume, axis: int, through: Tensor, series: Number) -> FiniteVolume:
    """`through` holds, for every fine cell, the conductance from the centre of I to the centre of J."""
    halved = A.coarsen((axis,))
    k, dim, n = halved.faces[axis], axis - A.domain.dimension, through.shape[axis - A.domain.dimension]
    if A.domain.periodic(axis):
        chained = through.index_select(dim, torch.arange(0, n, 2, device=k.device))
    else:
        # From below the first cell, from the second cell of every pair; the far face of a lone last cell stays halved.
        cells = torch.tensor([0, *range(1, n, 2)], device=k.device)
        chained = through.index_select(dim, cells)
        if n % 2:
            chained = torch.cat([chained, k.narrow(dim, k.shape[dim] - 1, 1)], dim)
    positive = (k > 0) & (chained > 0)
    ratio = torch.where(positive, chained, 1.0) / torch.where(positive, k, 1.0)
    mixed = torch.where(positive, k * torch.exp(series * ratio.log()), 0.0)
    faces = tuple(mixed if other == axis else face for other, face in enumerate(halved.faces))
    return FiniteVolume(faces, A.domain, halved.reaction)
