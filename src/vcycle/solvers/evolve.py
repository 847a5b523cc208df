"""Integration in time to a tolerance: the step is halved until the solution no longer changes."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.exponential import ETDRK4, Scheme
from vcycle.solvers.semilinear import Semilinear
from vcycle.solvers.solution import Solution
from vcycle.spaces import at_once, finite

Field = Float[Tensor, "b c *grid"]
States = Float[Tensor, "b s *grid"]
FEWEST_STEPS, MOST_HALVINGS = 4, 14
ORDER_FACTOR = 15  # of a scheme of fourth order the coarser of two solutions has 16 times the error of the finer
ROUNDING = 1e-11
CHUNK_POINTS = 2**16  # as many values at a time as caches hold
PARTS = 16  # of the whole time, in which it is seen when numbers overflow
SETTLED = 3  # so many step sizes in a row that overflow in the same part are a blow-up of the equation
STEPS_PER_POINT = 8  # that a wave would have to cross the box so often to need more steps for stability alone


@torch.no_grad()
def evolve(
    equation: Semilinear,
    initial: Field,
    interval: float,
    snapshots: int = 1,
    *,
    tolerance: float = 1e-6,
    most: int = MOST_HALVINGS,
    scheme: type[Scheme] = ETDRK4,
) -> Solution:
    """The states after `interval`, 2 `interval`, ... as channels, (b, snapshots c, *grid), in float64.

    The equation's grid has to lie where the initial states do.

    The residual of the result is ||u - u'|| / (15 ||u||) with u' from twice the step: the estimate of the relative
    error in time of a scheme of fourth order, over all snapshots of a sample. The step of a sample is halved until that
    is at most the tolerance, at most `most` times; `iterations` is the largest number of steps taken. The error of the
    discretisation in space is not in it. Where numbers overflow at the same time with smaller and smaller steps,
    although these resolve the grid, the solution itself does, and halving ends.
    """
    u = initial.double()
    size = max(1, at_once(CHUNK_POINTS, u) // max(1, u[0].numel()))
    parts = [_evolve(equation, part, interval, snapshots, tolerance, most, scheme) for part in u.split(size)]
    value, change = (torch.cat([part[i] for part in parts]) for i in (0, 1))
    steps, converged = max(part[2] for part in parts), change <= tolerance
    return Solution(value, change, steps, converged, _message(change, converged, steps, tolerance))


def snapshots_of(scheme: Scheme, initial: Field, steps: int, snapshots: int) -> States:
    """The states after every `steps` steps, one after the other in the channels."""
    return _march(scheme, initial, steps, snapshots)[0]


def _march(scheme: Scheme, initial: Field, steps: int, snapshots: int) -> tuple[States, Float[Tensor, " b"]]:
    """The states, and up to which part of the time those of each sample are finite; it ends where none is."""
    grid = scheme.equation.grid
    u_hat, states = grid.transform(initial), []
    reached, each = initial.new_zeros(len(initial)), math.ceil(steps * snapshots / PARTS)
    for step in range(1, steps * snapshots + 1):
        u_hat = scheme(u_hat)
        if step % each == 0 or step == steps * snapshots:
            alive = u_hat.flatten(1).abs().sum(1).isfinite()
            reached[alive] = step / each
            if not bool(alive.any()):
                break
        if step % steps == 0:
            states.append(grid.inverse(u_hat))
    missing = snapshots * initial.shape[1] - sum(state.shape[1] for state in states)
    overflown = initial.new_full((len(initial), missing, *initial.shape[2:]), torch.nan)
    return torch.cat([*states, overflown], 1), reached


def _evolve(
    equation: Semilinear,
    initial: Field,
    interval: float,
    snapshots: int,
    tolerance: float,
    most: int,
    scheme: type[Scheme],
) -> tuple[States, Float[Tensor, " b"], int]:
    steps = FEWEST_STEPS
    value, reached = _march(scheme(equation, interval / steps), initial, steps, snapshots)
    settled = torch.zeros_like(reached)
    coarse, change = value, initial.new_full(initial.shape[:1], torch.inf)
    rows = finite(initial).nonzero().flatten()
    coarse = coarse[rows]
    for _ in range(min(most, MOST_HALVINGS)):
        if len(rows) == 0:
            break
        steps *= 2
        fine, until = _march(scheme(equation, interval / steps), initial[rows], steps, snapshots)
        # What overflows at once may do so in fewer steps than a part has, and says nothing; nor costs it much.
        same = (until.floor() == reached[rows].floor()) & (until >= 1) & ~finite(fine)
        settled[rows], reached[rows] = torch.where(same, settled[rows] + 1, 0.0), until
        over = (settled[rows] >= SETTLED) & (steps >= STEPS_PER_POINT * max(initial.shape[2:]))
        before, now = change[rows], _relative_change(coarse, fine)
        value[rows], change[rows] = fine, now
        # Below a certain change halving only adds rounding.
        go_on = (now > tolerance) & ~((now < ROUNDING) & (now > before / 2)) & ~over
        rows, coarse = rows[go_on], fine[go_on]
    return value, change, steps * snapshots


def _relative_change(coarse: States, fine: States) -> Float[Tensor, " b"]:
    """||coarse - fine|| / (15 ||fine||), infinite where numbers have overflown."""
    size = fine.flatten(1).norm(dim=1)
    change = (coarse - fine).flatten(1).norm(dim=1) / torch.where(size > 0, size, 1.0) / ORDER_FACTOR
    return change.nan_to_num(nan=math.inf)


def _message(change: Tensor, converged: Tensor, steps: int, tolerance: float) -> str:
    worst = f"{float(change.max()):.1e}"
    if bool(converged.all()):
        return f"converged with {steps} steps to estimated relative errors in time of at most {worst}"
    missing = int((~converged).sum())
    return (
        f"{missing} of {converged.numel()} samples missed the tolerance {tolerance:.0e} with {steps} steps "
        f"(worst estimate {worst}): use a looser accuracy, a shorter time or a larger viscosity"
    )
