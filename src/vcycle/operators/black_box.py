"""The V-cycle that takes its grids' operators and transfers from the matrix alone: for coefficients that jump."""

import math

import torch

from vcycle.operators.chebyshev import Chebyshev, Relaxation
from vcycle.operators.compact import Compact
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.operators.galerkin import prescribed_coarsening
from vcycle.operators.geometric import COARSEST, DenseInverse, short_axes
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
    domain, shape = A.domain, tuple(A.diagonal.shape[2:])
    if not halves_down(domain, shape):
        raise ValueError(f"periodic axes of {shape} cannot be halved again and again: take geometric_multigrid, or 2^k")
    dtype = A.diagonal.dtype if dtype is None else dtype
    exact: FiniteVolume | Compact = A
    diagonal: torch.Tensor | None = None
    levels = []
    while math.prod(shape) > COARSEST:
        parity, grid = Parity(domain, shape, short_axes(domain, shape)), exact.to_dtype(dtype)
        smoother = Relaxation(Chebyshev(grid, steps, diagonal=None if diagonal is None else diagonal.to(dtype)))
        weights, exact = prescribed_coarsening(exact, parity, dtype)
        P = OperatorInterpolation(weights, parity)
        levels.append(Level([smoother], [smoother], A=grid, R=P.transpose(), P=P))
        shape = parity.coarse
        # Half the absolute row sums bound the eigenvalues by 2 (Gershgorin), as the diagonal of finite volumes does:
        # Galerkin operators of coefficients that jump have positive entries beside the diagonal.
        diagonal = torch.maximum(exact.diagonal, exact.k[:, :, 0].abs().sum(2) / 2)
    levels.append(Level([Smoother(DenseInverse(exact.to_dtype(dtype)))]))
    return Multigrid(A.source, A.target, levels, frozenset({"self_adjoint", "positive"}))


def halves_down(domain: Domain, shape: tuple[int, ...]) -> bool:
    """Whether a grid can be halved until the coarsest is small: periodic axes need even numbers of points all along."""
    while math.prod(shape) > COARSEST:
        axes = short_axes(domain, shape)
        if any(domain.periodic(axis) and shape[axis] % 2 for axis in axes):
            return False
        shape = Parity(domain, shape, axes).coarse
    return True
