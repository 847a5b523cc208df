"""The V-cycle that preconditions a diffusion operator best: which hierarchy, in which precision."""

import math

import torch

from vcycle.operators.black_box import black_box_multigrid, halves_down
from vcycle.operators.finite_volume import FiniteVolume
from vcycle.operators.geometric import COARSEST, contrast, geometric_multigrid
from vcycle.operators.multigrid import Multigrid

# Of the diagonal of A in two and three dimensions: beyond it averages of conductances no longer say what conducts on
# coarse grids, and the black box saves more than its set-up costs (benchmarks/cycles.py).
JUMPS = {2: 50.0, 3: 1e3}
SINGLE_PRECISION = 1e3  # of the diagonal: averages in single precision lose as many of seven digits as it has
CAREFUL_STEPS = 4  # of smoothing, where what a cycle leaves in good conductors counts in full


def classical_cycle(A: FiniteVolume, *, careful: bool = False) -> Multigrid:
    """One V-cycle for A: `geometric_multigrid` while coefficients are mild, `black_box_multigrid` where they jump.

    The black box is for grids in two and three dimensions that can be halved (`halves_down`). Assembled in double
    precision it works in single at any contrast, because smoothing takes away what rounding adds; averages do so while
    the contrast leaves digits.
    The cycle is in single precision where that is enough for a preconditioner, and in that of A if `careful`.
    """
    if _jumps(A):
        return black_box_multigrid(A, dtype=None if careful else torch.float32)
    return geometric_multigrid(A if careful or contrast(A) > SINGLE_PRECISION else A.to_dtype(torch.float32))


def classical_cycles(A: FiniteVolume) -> list[Multigrid]:
    """The V-cycles to take in turn, in the precision of A: both kinds where coefficients jump, else the geometric one.

    The black box is slow at an inclusion next to another good conductor, which share a point of a coarse grid; averages
    at good conductors that coarse cells cut. Directions from both miss nothing.
    """
    geometric = geometric_multigrid(A)
    return [black_box_multigrid(A, CAREFUL_STEPS), geometric] if _jumps(A) else [geometric]


def _jumps(A: FiniteVolume) -> bool:
    """Whether the black box is for this operator."""
    shape = tuple(A.diagonal.shape[2:])
    wide = math.prod(shape) > COARSEST and halves_down(A.domain, shape)
    return wide and contrast(A) > JUMPS.get(len(shape), math.inf)
