"""The V-cycle that takes its grids' operators and transfers from the matrix alone: for coefficients that jump."""

import math
from itertools import product

import torch

from vcycle.operators.compact import Compact
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.operators.galerkin import prescribed_coarsening
from vcycle.operators.geometric import COARSEST, Chebyshev, DenseInverse, short_axes
from vcycle.operators.multigrid import Level, Multigrid, Smoother
from vcycle.operators.operator_interpolation import OperatorInterpolation
from vcycle.operators.parity import Parity
from vcycle.spaces import Domain

STEPS = 2  # of smoothing before and after a correction


def black_box_multigrid(A: FiniteVolume, steps: int = STEPS, dtype: torch.dtype | None = None) -> Multigrid:
    """The V-cycle with interpolation that preserves fluxes, Galerkin operators P^T A P and Chebyshev-Jacobi smoothing.

    Every second point makes the coarse grid. Where a jumps, averages of conductances as in `geometric_multigrid` no
    longer say what conducts on coarse grids; interpolation by A itself does, and the number of iterations hardly
    depends on the contrast. The set-up costs as much as a few of them. `steps` of smoothing before and after each
    correction. Assembled in the precision of A, and kept in `dtype` if given. Self-adjoint and positive.
    Raises ValueError where a periodic axis has an odd number of points on some grid of the hierarchy.
    Sources: Alcouffe, Brandt, Dendy, Painter 1981; Dendy 1982.
    """
    domain, shape, stencil = A.domain, tuple(A.diagonal.shape[2:]), A.stencil()
    if not halves_down(domain, shape):
        raise ValueError(f"periodic axes of {shape} cannot be halved again and again: take geometric_multigrid, or 2^k")
    dtype = A.diagonal.dtype if dtype is None else dtype
    grid: FiniteVolume | Compact = A.to_dtype(dtype)
    diagonal, levels = A.diagonal, []
    while math.prod(shape) > COARSEST:
        parity = Parity(domain, shape, short_axes(domain, shape))
        weights, entries = prescribed_coarsening(stencil, parity)
        P = OperatorInterpolation(weights.to(dtype), parity)
        smoother = Smoother(Chebyshev(grid, steps, diagonal=diagonal.to(dtype)), grid)
        levels.append(Level([smoother], [smoother], A=grid, R=P.transpose(), P=P))
        shape, grid = parity.coarse, Compact(entries.to(dtype)[:, None, None], domain)
        stencil = dict(zip(product((-1, 0, 1), repeat=len(shape)), entries.unbind(1), strict=True))
        # Half the absolute row sums bound the eigenvalues by 2 (Gershgorin), as the diagonal of finite volumes does:
        # Galerkin operators of coefficients that jump have positive entries beside the diagonal.
        diagonal = torch.maximum(stencil[(0,) * len(shape)], entries.abs().sum(1) / 2)[:, None]
    levels.append(Level([Smoother(DenseInverse(grid))]))
    return Multigrid(A.source, A.target, levels, frozenset({"self_adjoint", "positive"}))


def halves_down(domain: Domain, shape: tuple[int, ...]) -> bool:
    """Whether a grid can be halved until the coarsest is small: periodic axes need even numbers of points all along."""
    while math.prod(shape) > COARSEST:
        axes = short_axes(domain, shape)
        if any(domain.periodic(axis) and shape[axis] % 2 for axis in axes):
            return False
        shape = Parity(domain, shape, axes).coarse
    return True
