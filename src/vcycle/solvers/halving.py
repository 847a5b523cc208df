"""Any scheme in time to a tolerance: its steps are halved until the states no longer change."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.solution import Solution
from vcycle.spaces import at_once, finite

States = Float[Tensor, "b s *grid"]
MOST_HALVINGS = 8
RESCUES = 2  # halvings that a sample without finite numbers gets
CHUNK_POINTS = 2**16  # as many values at a time as caches hold


@torch.no_grad()
def halve_steps(
    march: Callable[[Tensor, int], Tensor],
    inputs: States,
    order: int,
    tolerance: float,
    most: int = MOST_HALVINGS,
    first: float = 2.0,
) -> Solution:
    """`march(inputs, k)` is the states of some samples with steps that k halvings made; order is that of the scheme.

    The residual is ||u_k - u_(k-1)|| / ((2^order - 1) ||u_k||), the estimate of the relative error in time over all
    states of a sample, infinite where numbers are not finite; a sample without such numbers is given up after two
    halvings. `iterations` is the number of halvings.

    first  how many times as large the steps of k = 0 are as those of k = 1: less than 2 where they cannot be much
           larger and stable, and are much smaller than accuracy asks for
    """
    inputs = inputs.double()
    size = max(1, at_once(CHUNK_POINTS, inputs) // max(1, inputs[0].numel()))
    parts = [_halve(march, part, (first**order, 2.0**order), tolerance, most) for part in inputs.split(size)]
    value, error = (torch.cat([part[i] for part in parts]) for i in (0, 1))
    halvings, converged = max(part[2] for part in parts), error <= tolerance
    return Solution(value, error, halvings, converged, _message(error, converged, halvings, tolerance))


def _halve(
    march: Callable[[Tensor, int], Tensor], inputs: Tensor, gains: tuple[float, float], tolerance: float, most: int
) -> tuple[Tensor, Float[Tensor, " b"], int]:
    value, k = march(inputs, 0), 0
    error = inputs.new_full(inputs.shape[:1], torch.inf)
    rows = finite(inputs).nonzero().flatten()
    while k < min(most, MOST_HALVINGS) and len(rows):
        k += 1
        fine = march(inputs[rows], k)
        size = fine.flatten(1).norm(dim=1)
        change = (value[rows] - fine).flatten(1).norm(dim=1) / torch.where(size > 0, size, 1.0)
        value[rows], error[rows] = fine, change.nan_to_num(nan=math.inf) / (gains[k > 1] - 1)
        alive = finite(fine)
        rows = rows[(error[rows] > tolerance) & (alive | (k < RESCUES))]
    return value, error, k


def _message(error: Tensor, converged: Tensor, halvings: int, tolerance: float) -> str:
    worst = f"{float(error.max()):.1e}"
    if bool(converged.all()):
        return f"converged with {halvings} halvings of the step to estimated relative errors in time of at most {worst}"
    missing = int((~converged).sum())
    return (
        f"{missing} of {converged.numel()} samples missed the tolerance {tolerance:.0e} after {halvings} halvings of "
        f"the step (worst estimate {worst}, infinite where a state is not admissible): use milder states, a shorter "
        "time or a looser accuracy"
    )
