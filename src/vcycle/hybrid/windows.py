"""Evolutions to a tolerance: anything proposes the next window, a judge bounds its error, the solver has the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vcycle.solvers import Solution
from vcycle.spaces import finite, per_sample

Inputs = Float[Tensor, "b i *grid"]
Values = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
PerInstant = Float[Tensor, "b m"]
Rows = Int[Tensor, " rows"]
Kind = Literal["bound", "indicator"]
WORDS: dict[Kind, str] = {"bound": "guaranteed", "indicator": "estimated"}


@dataclass(frozen=True)
class Judged:
    """What is known of the m states of a window, in the L2 norm.

    defect  (b, m) >= the distance of a state from what the equation makes of the state before it
    growth  (b, m) >= the factor by which the equation parts two states on the way from one instant to the next
    size    (b, m + 1) the norms of the states, that before the window first
    """

    defect: PerInstant
    growth: PerInstant
    size: Float[Tensor, "b _"]

    def after(self, error: PerSample) -> PerInstant:
        """The errors at the m instants, e_j <= growth_j e_(j-1) + defect_j, from the `error` before the window."""
        errors = []
        for defect, growth in zip(self.defect.unbind(1), self.growth.unbind(1), strict=True):
            error = _number(growth * error + defect)
            errors.append(error)
        return torch.stack(errors, 1)

    def relative(self, error: PerInstant) -> PerInstant:
        """error / (size - error), at least the error relative to the true state; infinite where that may vanish."""
        left = self.size[:, 1:] - error
        known = (left > 0) & left.isfinite()
        share = error / torch.where(known, left, 1.0)
        return torch.where(error == 0, 0.0, torch.where(known, share, torch.inf))

    @property
    def amplification(self) -> PerSample:
        """The factor by which relative errors grow over the window, at least 1."""
        return _number(self.growth.prod(1) * self.size[:, 0] / self.size[:, -1]).clamp_min(1.0)


@dataclass(frozen=True)
class Window:
    """The maps of a window, each for any rows of a batch.

    propose  inputs to the states of the window, one after the other in the channels
    judge    inputs and such states to what is known of them
    solve    inputs to the reference solution
    vouch    inputs and that solution to what its solver knows of it
    follow   inputs and the states of the window to the inputs of the next
    """

    propose: Callable[[Inputs], Values]
    judge: Callable[[Inputs, Values], Judged]
    solve: Callable[[Inputs], Solution]
    vouch: Callable[[Inputs, Solution], Judged]
    follow: Callable[[Inputs, Values], Inputs]


@dataclass(frozen=True)
class Marched:
    """A trajectory of t states through windows of t / windows each, and how it came about.

    values     (b, t, c, *grid) the states
    error      (b, t) of every state, relative to the equation's: a guaranteed bound or an estimate, as `kind` says
    solved     (b, windows) which windows were left to the reference solver
    indicator  (b, windows) the largest such error that the proposal of a window would have had in it
    verified   (b,) whether all errors of a sample are within the limit and the solver reached its own tolerance
    proposals, solves   how many windows were proposed, and how often one was solved
    """

    values: Float[Tensor, "b t c *grid"]
    error: Float[Tensor, "b t"]
    solved: Bool[Tensor, "b w"]
    indicator: Float[Tensor, "b w"]
    verified: Bool[Tensor, " b"]
    proposals: int
    solves: int
    limit: float
    kind: Kind

    @property
    def message(self) -> str:
        """One sentence; what to try next where something is not verified."""
        left, again = int(self.solved.sum()), self.solves - int(self.solved.sum())
        work = f"{left} of {self.solved.numel()} windows were left to the reference solver"
        work += f", {again} of them twice" if again else ""
        worst = f"{WORDS[self.kind]} relative errors of at most {float(self.error.max()):.1e}"
        if bool(self.verified.all()):
            return f"verified: {worst}; {work}"
        missing = int((~self.verified).sum())
        return (
            f"NOT verified: {missing} of {len(self.verified)} samples may be off by more than {self.limit:.0e} "
            f"({worst}, {work}): ask for a looser tolerance or fewer steps"
        )


@torch.no_grad()
def march(window: Window, inputs: Inputs, windows: int, limit: float, kind: Kind) -> Marched:
    """States whose relative errors are at most `limit` by what the judge says, or a result that says they are not.

    Errors are carried along, e <- growth e + defect. A proposal is taken if its relative error stayed within the limit
    to the end, were it to grow on as in this window; else the solver has the window. Should older errors grow beyond
    the limit all the same, the sample goes back to where the solver had been alone, and is solved from there: no window
    more than twice. Whatever is proposed, what is claimed is what judge and solver vouch for.
    Raises ValueError for fewer than one window and for a limit that is not positive.
    """
    if windows < 1 or not limit > 0:
        raise ValueError(f"marching needs at least one window and a positive limit, got {windows} and {limit:g}")
    run = _Run(window, inputs, windows, limit)
    for k in range(windows):
        run.advance(k)
    values, error = run.values.unflatten(2, (run.errors.shape[2], -1)).flatten(1, 2), run.errors.flatten(1)
    verified = run.converged & (error <= limit).all(1)
    return Marched(values, error, run.solved, run.claimed, verified, run.proposals, run.solves, limit, kind)


@torch.no_grad()
def solved(window: Window, inputs: Inputs, windows: int) -> Float[Tensor, "b w mc *grid"]:
    """The states of the reference solver alone, window by window."""
    values = []
    for _ in range(windows):
        values.append(window.solve(inputs).value)
        inputs = window.follow(inputs, values[-1])
    return torch.stack(values, 1)


class _Run:
    """A batch on its way. Up to window `anchored` of a sample the solver alone has been at work."""

    def __init__(self, window: Window, inputs: Inputs, windows: int, limit: float):
        b, device = len(inputs), inputs.device
        self.window, self.windows, self.limit = window, windows, limit
        self.inputs, self.error = inputs.clone(), torch.zeros(b, dtype=torch.float64, device=device)
        self.anchor, self.anchor_error = self.inputs.clone(), self.error.clone()
        self.anchored = torch.zeros(b, dtype=torch.long, device=device)
        self.converged = torch.ones(b, dtype=torch.bool, device=device)
        self.solved = torch.ones(b, windows, dtype=torch.bool, device=device)
        self.claimed = torch.full((b, windows), torch.inf, dtype=torch.float64, device=device)
        self.values = self.errors = torch.empty(0, dtype=torch.float64, device=device)
        self.proposals = self.solves = 0

    def advance(self, k: int) -> None:
        """One window further; states that are none have no successors."""
        alive = finite(self.inputs)
        self._propose(k, alive.nonzero().flatten())
        left = (alive & self.solved[:, k]).nonzero().flatten()
        self._again(k, left[self._solve(k, left)])

    def _propose(self, k: int, rows: Rows) -> None:
        if len(rows) == 0:
            return
        inputs = self.inputs[rows]
        value = self.window.propose(inputs)
        fine = finite(value)
        judged = self.window.judge(inputs, torch.where(per_sample(fine, value), value, 0.0))
        error = judged.after(self.error[rows])
        share = judged.relative(error)
        worst = torch.where(fine, share.amax(1), torch.inf)
        good = worst * judged.amplification ** (self.windows - 1 - k) <= self.limit
        self.claimed[rows, k], self.proposals = worst, self.proposals + len(rows)
        self.solved[rows[good], k] = False
        self._keep(k, rows[good], value[good], error[good], share[good])

    def _solve(self, k: int, rows: Rows) -> Bool[Tensor, " rows"]:
        """Which of these rows are beyond the limit because of what was proposed before."""
        if len(rows) == 0:
            return torch.zeros(0, dtype=torch.bool, device=rows.device)
        inputs = self.inputs[rows]
        solution = self.window.solve(inputs)
        judged = self.window.vouch(inputs, solution)
        error = judged.after(self.error[rows])
        share = judged.relative(error)
        self.converged[rows] &= solution.converged
        self.solved[rows, k], self.solves = True, self.solves + len(rows)
        self._keep(k, rows, solution.value, error, share)
        alone = self.anchored[rows] == k
        still = rows[alone]
        self.anchor[still], self.anchor_error[still] = self.inputs[still], self.error[still]
        self.anchored[still] = k + 1
        return ~alone & ~(share <= self.limit).all(1)

    def _again(self, last: int, rows: Rows) -> None:
        """By the solver alone, each from where it was alone before."""
        self.inputs[rows], self.error[rows] = self.anchor[rows], self.anchor_error[rows]
        for k in range(last + 1):
            self._solve(k, rows[self.anchored[rows] == k])

    def _keep(self, k: int, rows: Rows, value: Values, error: PerInstant, share: PerInstant) -> None:
        """The states of some rows in window k, which make the inputs of the next."""
        if self.values.numel() == 0:
            shape = len(self.inputs), self.windows
            self.values = self.error.new_full((*shape, *value.shape[1:]), torch.nan)
            self.errors = self.error.new_full((*shape, error.shape[1]), torch.inf)
        self.values[rows, k], self.errors[rows, k] = value, share
        self.inputs[rows], self.error[rows] = self.window.follow(self.inputs[rows], value), error[:, -1]


def _number(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """What is no number is infinite."""
    return x.nan_to_num(nan=torch.inf, posinf=torch.inf)
