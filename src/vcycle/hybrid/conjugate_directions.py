"""Conjugate directions from any map: the map may only make it slower, never wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vcycle.operators import LinearOperator
from vcycle.solvers import Solution
from vcycle.solvers.products import dot, guarded, norm
from vcycle.solvers.start import normalised

Field = Float[Tensor, "b c *grid"]
Map = Callable[[Tensor], Tensor]
Triple = tuple[Tensor, Tensor, Tensor]  # a direction p, A p and (p, A p)
NEVER = -1


@dataclass(frozen=True)
class Directed:
    """The solution, and how far the learned map was followed.

    solution   solvers.Solution; its iterations are those of the slowest sample
    learned    (b,) steps along directions of the map
    turned     (b,) the iteration from which a sample took the classical preconditioner, -1 if it never did
    """

    solution: Solution
    learned: Int[Tensor, " b"]
    turned: Int[Tensor, " b"]


@torch.no_grad()
def conjugate_directions(
    A: LinearOperator,
    f: Field,
    direction: Map,
    preconditioner: Map,
    *,
    start: Field | None = None,
    weight: Field | None = None,
    floating: bool = False,
    memory: int = 2,
    race: int = 4,
    trial: int = 16,
    patience: int = 100,
    tolerance: float = 1e-8,
    most: int = 200,
) -> Directed:
    """Solve A u = f, A self-adjoint and positive, along d = direction(r / ||r||), r = f - A u, for any map whatever:

        d <- d - sum_j (p_j, A d) / (p_j, A p_j) p_j       over the last `memory` directions
        u <- u + (r, d) / (d, A d) d

    Each step lowers ||u - A^-1 f||_A^2 by its gain (r, d)^2 / (d, A d) >= 0, so the error never grows. For the first
    `race` steps the same is done with the classical `preconditioner` B beside it, which is conjugate gradients, and
    every sample goes on with what has gained more. Later, in every `trial`-th step and wherever the map gains nothing
    (zero, infinite, not a number), B proposes a direction too; where that would gain more than twice as much it is
    taken, and B alone from there on, as conjugate gradients. So every trial gains at least half of what steepest
    descent with B would, (1 - ((k - 1) / (k + 1))^2) / 2 of the squared error, k = cond(B A). After `patience` steps
    B takes over whatever was gained: single steps foretell little of conjugate gradients that accelerate. So no sample
    needs more than `patience` steps beyond the bound of conjugate gradients with B.
    Maps receive residuals of norm 1 in the precision of f and may answer in any; residuals are computed afresh in every
    step; `weight`, `floating` and samples that are done as in solvers.conjugate_gradients. If the map is linear,
    self-adjoint and positive these are conjugate gradients preconditioned with it, for any memory >= 1.
    Sources: P118 (section 2: exact line search, two directions); Notay, SIAM J. Sci. Comput. 22 (2000).
    """
    target, iterations = tolerance * norm(f, weight), 0
    ours, theirs = (_Run(A, f, start, memory, floating) for _ in range(2))
    follows = torch.ones_like(target, dtype=torch.bool)
    learned = torch.zeros(len(f), dtype=torch.long, device=f.device)
    turned = torch.full_like(learned, NEVER)
    while iterations < most and bool((active := ours.above(target, weight)).any()):
        racing, spent = iterations < race, iterations >= patience
        step, gain = ours.still, torch.zeros_like(target)
        if bool((active & follows).any()):
            step, gain = ours.propose(direction)
        turns = torch.zeros_like(follows)
        if not racing and (spent or iterations % trial == 0 or bool((active & (~follows | (gain == 0))).any())):
            other, classical = ours.propose(preconditioner)
            turns = active & follows & ((2 * gain < classical) | spent)
            follows = follows & ~turns
            step, gain = _where(follows, step, other), torch.where(follows, gain, classical)
        ours.take(step, torch.where(active, gain, 0.0))
        ours.forget(turns)
        learned = learned + (active & follows).flatten()
        if racing:
            theirs.take(*theirs.propose(preconditioner))
            if iterations + 1 in (race, most) or not bool((active & theirs.above(target, weight)).any()):
                turns = follows & ours.above(target, weight) & (ours.gained < theirs.gained)
                ours.adopt(theirs, turns)
                follows, race = follows & ~turns, iterations + 1
        turned = torch.where(turns.flatten(), iterations, turned)
        iterations += 1
    relative = (norm(ours.r, weight) / guarded(norm(f, weight))).flatten()
    converged = relative <= tolerance
    message = _message(relative, converged, turned)
    return Directed(Solution(ours.u, relative, iterations, converged, message), learned, turned)


class _Run:
    """An iterate u with its residual, the last directions, and how much the squared error has fallen."""

    def __init__(self, A: LinearOperator, f: Field, start: Field | None, memory: int, floating: bool):
        self.A, self.f, self.memory, self.floating = A, f, memory, floating
        self.u = torch.zeros_like(f) if start is None else start.clone()
        self.r, self.kept = f - A(self.u), list[Triple]()
        self.gained = torch.zeros_like(dot(f, f))
        self.still: Triple = (torch.zeros_like(f), torch.zeros_like(f), torch.zeros_like(self.gained))

    def above(self, target: Tensor, weight: Field | None) -> Tensor:
        return norm(self.r, weight) > target

    def propose(self, direction: Map) -> tuple[Triple, Tensor]:
        """The map's direction made A-orthogonal to those kept, and its gain, 0 where it is no direction."""
        d = normalised(direction(self.r / guarded(norm(self.r)))).to(self.r)
        if self.floating:
            d = d - d.mean(tuple(range(1, d.ndim)), keepdim=True)
        for p, ap, energy in self.kept:
            d = torch.addcmul(d, dot(ap, d) / guarded(energy), p, value=-1)
        ad = self.A(d)
        energy = dot(d, ad)
        return (d, ad, energy), torch.where(energy > 0, dot(self.r, d).square() / guarded(energy), 0.0)

    def take(self, step: Triple, gain: Tensor) -> None:
        """The exact line search, where anything is gained."""
        p, _, energy = step
        self.u = torch.addcmul(self.u, torch.where(gain > 0, dot(self.r, p) / guarded(energy), 0.0), p)
        self.r, self.gained = self.f - self.A(self.u), self.gained + gain
        self.kept = [*self.kept, step][-self.memory :] if self.memory else []

    def forget(self, samples: Tensor) -> None:
        """Directions of a map that has been left would spoil the recurrence of conjugate gradients."""
        if bool(samples.any()):
            self.kept = [_where(samples, self.still, step) for step in self.kept]

    def adopt(self, other: "_Run", samples: Tensor) -> None:
        self.u, self.r = torch.where(samples, other.u, self.u), torch.where(samples, other.r, self.r)
        self.kept = [_where(samples, theirs, ours) for ours, theirs in zip(self.kept, other.kept, strict=True)]


def _where(mask: Tensor, yes: Triple, no: Triple) -> Triple:
    p, ap, energy = (torch.where(mask, y, n) for y, n in zip(yes, no, strict=True))
    return p, ap, energy


def _message(residual: Tensor, converged: Tensor, turned: Tensor) -> str:
    back = int((turned != NEVER).sum())
    followed = f"{back} of {turned.numel()} samples turned to the classical preconditioner"
    if bool(converged.all()):
        return f"converged to relative residuals of at most {float(residual.max()):.1e}; {followed}"
    return (
        f"{int((~converged).sum())} of {turned.numel()} samples have not converged (worst residual "
        f"{float(residual.max()):.1e}); {followed}: allow more iterations or a looser tolerance"
    )
