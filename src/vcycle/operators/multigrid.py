"""V- and W-cycles: one operator that serves as solver, layer and preconditioner."""

from collections.abc import Sequence
from typing import cast

from torch import nn

from vcycle.operators.base import Adjoint, Field, LinearOperator
from vcycle.spaces import Space


class Smoother(nn.Module):
    """u <- u + S(f - A u); from u = 0 simply S f, and then A may be None."""

    def __init__(self, S: nn.Module, A: LinearOperator | None = None):
        super().__init__()
        self.S: nn.Module = S
        self.A: LinearOperator | None = A

    def forward(self, u: Field | None, f: Field) -> Field:
        if u is None:
            return self.S(f)
        if self.A is None:
            raise ValueError("this Smoother has no A and can only start from u = 0: give it the operator A")
        return u + self.S(self.A.residual(f, u))


class Level(nn.Module):
    """One grid of the hierarchy: smoothing before and after the correction from the next coarser grid.

    R restricts the right-hand side: f - A u if A is given (textbook), f itself if not (P0 as released).
    Pi carries the iterate down as initial guess; without it the coarse grid starts from 0 (textbook).
    P prolongs the coarse result, which is added to u; where it returns a point more than the grid has (2 m points for
    an odd grid with 2 m - 1), the last one is left out. The coarsest level has none of them.
    `norm` acts after the correction; it is used by one published variant only and makes the cycle non-linear.
    """

    def __init__(
        self,
        pre: Sequence[nn.Module],
        post: Sequence[nn.Module] = (),
        *,
        A: LinearOperator | None = None,
        R: nn.Module | None = None,
        Pi: nn.Module | None = None,
        P: nn.Module | None = None,
        norm: nn.Module | None = None,
    ):
        super().__init__()
        self.pre, self.post = nn.ModuleList(pre), nn.ModuleList(post)
        self.A: LinearOperator | None = A
        self.R: nn.Module | None = R
        self.Pi: nn.Module | None = Pi
        self.P: nn.Module | None = P
        self.norm: nn.Module | None = norm


class Multigrid(LinearOperator):
    """W f = V_1(0, f), one cycle from u = 0 for the right-hand side f.

    V_l(u, f), on level l = 1, ..., L (fine to coarse), returns u after

        u <- u + S(f - A u)                                for every pre-smoother
        v, g <- Pi u or 0, R(f - A u) or R f
        v <- V_{l+1}(v, g)                                 gamma times
        u <- u + P v
        u <- u + S(f - A u)                                for every post-smoother

    gamma = 1 is a V-cycle, 2 a W-cycle. Learned (stencils) it is the layer of MgNO; assembled (a discretised PDE) it is
    the classical cycle: iterated a solver, handed to conjugate gradients a preconditioner. Levels may share their
    parts. Sources: P0, section 3; Brandt 1977.
    """

    def __init__(
        self,
        source: Space,
        target: Space,
        levels: Sequence[Level],
        tags: frozenset[str] = frozenset(),
        *,
        gamma: int = 1,
    ):
        super().__init__(source, target, tags)
        if gamma < 1:
            raise ValueError(f"a cycle corrects from the coarser grid gamma >= 1 times, got {gamma}: 1 is a V-cycle")
        if any(level.R is None or level.P is None for level in levels[:-1]):
            raise ValueError("every Level but the coarsest needs a restriction R and a prolongation P")
        self.levels, self.gamma = nn.ModuleList(levels), gamma

    def forward(self, u: Field) -> Field:
        return self._cycle(0, None, u)

    def _cycle(self, depth: int, u: Field | None, f: Field) -> Field:
        level = cast(Level, self.levels[depth])
        for smooth in level.pre:
            u = smooth(u, f)
        if u is None:
            raise ValueError(f"level {depth} starts from u = 0 without a pre-smoother: give it one, or a Pi above it")
        if level.R is None or level.P is None:
            return u
        g = level.R(f if level.A is None else level.A.residual(f, u))
        v = None if level.Pi is None else level.Pi(u)
        for _ in range(self.gamma):
            v = self._cycle(depth + 1, v, g)
        u = u + _fitted(level.P(v), tuple(u.shape[2:]))
        if level.norm is not None:
            u = level.norm(u)
        for smooth in level.post:
            u = smooth(u, f)
        return u

    def adjoint(self) -> LinearOperator:
        return self if "self_adjoint" in self.tags else Adjoint(self)

    def norm_bound(self) -> float | None:
        return None


def _fitted(v: Field, shape: tuple[int, ...]) -> Field:
    """v without its last points, where it has more of them along an axis than `shape`."""
    if any(m < n for m, n in zip(v.shape[2:], shape, strict=True)):
        raise ValueError(f"P returns {tuple(v.shape[2:])} points for a grid of {shape}: choose another kernel for P")
    for dim, n in enumerate(shape, start=2):
        v = v if v.shape[dim] == n else v.narrow(dim, 0, n)
    return v
