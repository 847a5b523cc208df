"""The V-cycle of finite elements on cell centres: the same elements on coarser cells with averaged moduli."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import LinearOperator
from vcycle.operators.chebyshev import Chebyshev, Relaxation
from vcycle.operators.compact import Compact, Field
from vcycle.operators.elements import between_ghosts
from vcycle.operators.geometric import DenseInverse, contrast, short_axes
from vcycle.operators.multigrid import Level, Multigrid, Smoother
from vcycle.spaces import Space, per_sample, placed
from vcycle.spaces.basis import apply_axes
from vcycle.spaces.domain import Faces
from vcycle.spaces.transfer import averaging_matrix

Moduli = Float[Tensor, "..."]  # (b, c, d, c, d, 2^d or 1, *grid)

COARSEST = 128  # unknowns; below this a dense inverse is cheaper than another level
FEWEST = 5  # cells of an axis that is coarsened: ghosts need three
STEPS = 3  # of smoothing before and after a correction
LOWEST = 0.1  # of the eigenvalues that smoothing damps, relative to the largest
POWERS = 6
MARGIN = 1.15  # of the largest eigenvalue over what so few powers find; a polynomial grows fast beyond its interval
SINGLE_PRECISION_CONTRAST = 1e3  # single precision keeps 7 digits, of which the contrast takes some


def elements_multigrid(A: Compact, moduli: Moduli, reaction: Field | None = None) -> Multigrid:
    """The textbook V-cycle for A = Compact.assemble(moduli, domain, reaction): Chebyshev-Jacobi, and the elements of
    the coarse grid evaluated on the fine one.

    A fine cell is a subcell of a coarse one, so coarse moduli are the means of those in fine cells: a tensor keeps its
    directions, which sums of stencils over blocks of cells would lose. Self-adjoint and positive; in single precision
    while the contrast leaves digits for it. Any shape; the short sides of cells are coarsened first.
    """
    domain, levels = A.domain, []
    if contrast(A) < SINGLE_PRECISION_CONTRAST:
        A, moduli = A.to_dtype(torch.float32), moduli.float()
        reaction = None if reaction is None else reaction.float()
    largest = _largest_eigenvalue(A)  # the same elements on coarser grids have about the same
    while A.size > COARSEST:
        shape = tuple(A.k.shape[4:])
        axes = [axis for axis in short_axes(domain, shape) if shape[axis] >= FEWEST]
        if not axes:
            break
        coarse = tuple((n + 1) // 2 if axis in axes else n for axis, n in enumerate(shape))
        smoother = Relaxation(Chebyshev(A, STEPS, LOWEST * largest, largest))
        matrices = [_elements(m, n, faces).to(A.k) for m, n, faces in zip(coarse, shape, domain.boundary, strict=True)]
        P, R = AxisMatrices(A.source, matrices), AxisMatrices(A.source, [M.mT for M in matrices])
        levels.append(Level([smoother], [smoother], A=A, R=R, P=P))
        moduli = _on_subcells(moduli.mean(5), coarse)
        reaction = None if reaction is None else _averages(reaction, coarse)
        A = Compact.assemble(moduli, domain, reaction)
    levels.append(Level([Smoother(DenseInverse(A))]))
    return Multigrid(A.source, A.target, levels, frozenset({"self_adjoint", "positive"}))


class AxisMatrices(LinearOperator):
    """W u = (M_1 x ... x M_d) u: a matrix per axis."""

    def __init__(self, space: Space, matrices: list[Float[Tensor, "_ _"]]):
        super().__init__(space, space)
        for axis, M in enumerate(matrices):
            self.register_buffer(f"M{axis}", M)

    @property
    def matrices(self) -> list[Float[Tensor, "_ _"]]:
        return [self.get_buffer(f"M{axis}") for axis in range(self.source.domain.dimension)]

    def forward(self, u: Field) -> Float[Tensor, "b c *target"]:
        return apply_axes(self.matrices, u)

    def adjoint(self) -> LinearOperator:
        """The transposes, weighted with the ratios of the sizes of cells."""
        return AxisMatrices(self.source, [M.mT * (M.shape[1] / M.shape[0]) for M in self.matrices])

    def norm_bound(self) -> float | None:
        """The product of the largest singular values."""
        sizes = [float(torch.linalg.matrix_norm(M, 2)) * (M.shape[1] / M.shape[0]) ** 0.5 for M in self.matrices]
        return math.prod(sizes)


def _elements(m: int, n: int, faces: Faces) -> Float[Tensor, "n m"]:
    """Linear elements on m cells in the centres of n cells, with the ghosts of operators.elements.

    At a free end they go on with their slope: a rotation, which costs no energy, stays one.
    """
    extended = between_ghosts(torch.eye(m, dtype=torch.float64), 0, faces)
    position = (torch.arange(n, dtype=torch.float64) + 0.5) * m / n + 0.5  # in cells, counted from the ghost
    left = position.floor().long()
    return torch.lerp(extended[left], extended[left + 1], (position - left)[:, None])


def _averages(u: Float[Tensor, "..."], shape: tuple[int, ...]) -> Float[Tensor, "..."]:
    """Cells to other cells, weighted with their overlap."""
    fine = u.shape[u.ndim - len(shape) :]
    return apply_axes([placed(averaging_matrix(n, m), u) for n, m in zip(fine, shape, strict=True)], u)


def _on_subcells(moduli: Float[Tensor, "..."], coarse: tuple[int, ...]) -> Moduli:
    """(b, c, d, c, d, *grid) to the subcells of coarse cells, (b, c, d, c, d, 2^d, *coarse)."""
    d = len(coarse)
    halves = _averages(moduli, tuple(2 * n for n in coarse))
    for axis, n in enumerate(coarse):
        halves = halves.unflatten(5 + 2 * axis, (n, 2))
    return halves.movedim([6 + 2 * axis for axis in range(d)], list(range(5, 5 + d))).flatten(5, 4 + d)


def _largest_eigenvalue(A: Compact) -> float:
    """Of D^-1 A, by power iteration from noise, with a margin: hardly ever less than it is."""
    inverse = 1 / A.diagonal
    v = torch.randn(inverse.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(inverse)
    size = v.new_zeros(())
    for _ in range(POWERS):
        v = inverse * A(v)
        size = v.flatten(1).norm(dim=1)
        v = v / per_sample(size, v)
    return MARGIN * float(size.max())
