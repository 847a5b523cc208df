"""The classical V-cycle on cells, assembled from a finite-volume operator."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.chebyshev import Chebyshev, Relaxation
from vcycle.operators.compact import Compact
from vcycle.operators.finite_volume import FiniteVolume, sum_pairs
from vcycle.operators.multigrid import Level, Multigrid, Smoother
from vcycle.spaces import Domain, Space

Field = Float[Tensor, "b c *grid"]

COARSEST = 64  # cells; below this a dense inverse is cheaper than another level
HIGH_CONTRAST = 1e3  # of the diagonal of A; beyond it a fourth smoothing step saves more than it costs


def geometric_multigrid(A: FiniteVolume, steps: int | None = None) -> Multigrid:
    """The textbook V-cycle for A: Chebyshev-Jacobi smoothing, residuals summed over blocks, corrections injected.

    `steps` smoothing steps before and after each correction: 3, or 4 at high contrast, if not given.

    The coarse operators are A.coarsen(), the coarsest grid (at most 64 cells) is solved exactly. Cells longer along
    some axes are first made equal-sided: only the axes with the shortest sides are coarsened. The cycle is
    self-adjoint and positive, so it can precondition conjugate gradients. Any shape, any boundary condition.
    """
    if steps is None:
        steps = 4 if contrast(A) > HIGH_CONTRAST else 3
    levels = []
    while math.prod(A.diagonal.shape[2:]) > COARSEST:
        shape = tuple(A.diagonal.shape[2:])
        axes = short_axes(A.domain, shape)
        smoother = Relaxation(Chebyshev(A, steps))
        R, P = Aggregation(A.domain, axes), Injection(A.domain, axes, shape)
        levels.append(Level([smoother], [smoother], A=A, R=R, P=P))
        A = A.coarsen(axes)
    levels.append(Level([Smoother(DenseInverse(A))]))
    return Multigrid(A.source, A.target, levels, frozenset({"self_adjoint", "positive"}))


def contrast(A: FiniteVolume | Compact) -> float:
    """The largest entry of the diagonal over the smallest, in the whole batch."""
    return float(A.diagonal.amax() / A.diagonal.amin())


def short_axes(domain: Domain, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which cells are shortest (within a factor sqrt 3) and that can still be coarsened."""
    lengths = {axis: domain.lengths[axis] / n for axis, n in enumerate(shape) if n > 1}
    return tuple(axis for axis, h in lengths.items() if h**2 < 3 * min(lengths.values()) ** 2)


class Aggregation(LinearOperator):
    """R f: sums of pairs of cells along `axes`, from integrals over fine cells to integrals over coarse ones."""

    def __init__(self, domain: Domain, axes: tuple[int, ...]):
        super().__init__(Space(domain), Space(domain))
        self.axes = axes

    def forward(self, u: Field) -> Float[Tensor, "b c *target"]:
        for axis in self.axes:
            u = sum_pairs(u, axis - self.source.domain.dimension)
        return u

    def adjoint(self) -> LinearOperator:
        raise NotImplementedError("the adjoint of Aggregation is Injection, which must know the shape of the fine grid")

    def norm_bound(self) -> float | None:
        """On even grids a constant grows by 2 per axis."""
        return 2.0 ** len(self.axes)


class Injection(LinearOperator):
    """P u: every fine cell takes the value of its coarse cell; `shape` is the fine grid's."""

    def __init__(self, domain: Domain, axes: tuple[int, ...], shape: tuple[int, ...]):
        super().__init__(Space(domain), Space(domain))
        self.axes, self.shape = axes, shape

    def forward(self, u: Field) -> Float[Tensor, "b c *target"]:
        size = [2 * n if axis in self.axes else n for axis, n in enumerate(u.shape[2:])]
        u = F.interpolate(u, size, mode="nearest")
        for dim, n in enumerate(self.shape, start=2):
            u = u.narrow(dim, 0, n)
        return u

    def adjoint(self) -> LinearOperator:
        return 2.0 ** -len(self.axes) * Aggregation(self.source.domain, self.axes)

    def norm_bound(self) -> float | None:
        """A function keeps its L2 norm on even grids; a lone last cell at an odd end shrinks."""
        return 1.0


class DenseInverse(LinearOperator):
    """S f = A^-1 f on a small grid, (b, n, n) inverses computed once.

    Where A annihilates constants (no Dirichlet face, no reaction) this is the pseudo-inverse, which annihilates them
    too: the solution with mean zero for every f with mean zero.
    """

    def __init__(self, A: FiniteVolume | Compact):
        super().__init__(A.source, A.target, frozenset({"self_adjoint", "positive"}))
        matrix = A.dense()
        if A.floating:
            matrix = matrix + matrix.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] / matrix.shape[-1]
        # Inverted in double precision: at high contrast single precision would lose the symmetry.
        inverse = torch.linalg.inv(matrix.double())
        if A.floating:
            inverse = inverse - inverse.mean(1, keepdim=True)
            inverse = inverse - inverse.mean(2, keepdim=True)
        self.register_buffer("inverse", ((inverse + inverse.mT) / 2).to(matrix.dtype))

    inverse: Tensor

    def forward(self, u: Field) -> Field:
        vectors = u.reshape(u.shape[0], -1, self.inverse.shape[-1])
        return (self.inverse @ vectors.mT).mT.reshape(u.shape)

    def adjoint(self) -> LinearOperator:
        return self

    def norm_bound(self) -> float | None:
        """The largest eigenvalue."""
        return float(torch.linalg.eigvalsh(self.inverse).max())
