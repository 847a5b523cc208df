"""Solving to a verified tolerance: something proposes, a solver disposes, the bound or the residual decides."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.hybrid.bound import bound_of
from vcycle.hybrid.checks import checked, checked_reaction
from vcycle.hybrid.equation import Discrete
from vcycle.operators import classical_cycle, of_samples
from vcycle.solvers import Solution, best_multiple, conjugate_gradients
from vcycle.spaces import Domain

Field = Float[Tensor, "b 1 *grid"]
PerSample = Float[Tensor, " b"]
Kind = Literal["bound", "residual"]
MEASURES: dict[Kind, str] = {"bound": "error bounds", "residual": "relative residuals"}
ROUNDS = 8
TIGHTEN = 2


@dataclass(frozen=True)
class Corrected:
    """A solution of the discrete equations, and how it is verified.

    value       (b, c, *grid)
    error       (b,) kind 'bound': guaranteed bound of the relative energy error ||u - value||_a / ||u||_a;
                kind 'residual': relative residual of the value, in the problem's norm
    verified    (b,) whether that number is at most the tolerance
    iterations  of the solver, for the batch: conjugate gradients, Newton steps, 1 for a direct solution
    message     one sentence; what to try next where something is not verified
    kind        what verifies
    """

    value: Float[Tensor, "b c *grid"]
    error: PerSample
    verified: Bool[Tensor, " b"]
    iterations: int
    message: str
    kind: Kind


@torch.no_grad()
def solve_to_tolerance(
    proposal: Field | None,
    coefficient: Field,
    source: Field | float = 1.0,
    domain: Domain | None = None,
    *,
    reaction: Field | float | None = None,
    tolerance: float = 1e-8,
    most: int = 500,
) -> Corrected:
    """u with ||u_h - u||_a <= tolerance ||u_h||_a, verified by the guaranteed bound, or a result that says it is not.

    u_h solves the finite-volume equations of -div(a grad u) + c u = f. The proposal (a network's output, or None for
    zero) is the starting point, scaled to the multiple with the least energy: whatever it is, its energy error is then
    no larger than that of zero, and non-finite samples start from zero. Arguments as in `energy_bound`.
    """
    v = torch.zeros_like(coefficient) if proposal is None else proposal
    domain = Domain.unit(v.ndim - 2) if domain is None else domain
    c = checked_reaction(reaction, v)
    a, f = checked(v, coefficient, source, domain, c)
    equation = Discrete(a, c, domain)
    A, load = equation.operator, equation.volume * f
    cycle, weight = classical_cycle(A), 1 / A.diagonal
    u = best_multiple(v, A, load)
    residual_tolerance, iterations = tolerance, 0
    for _ in range(ROUNDS):
        step = conjugate_gradients(
            A,
            load,
            cycle,
            start=u,
            weight=weight,
            floating=A.floating,
            tolerance=residual_tolerance,
            most=most - iterations,
            select=of_samples,
        )
        u, iterations = step.value, iterations + step.iterations
        error = bound_of(equation, u, f, None, "discrete", TIGHTEN).relative
        verified = error <= tolerance
        if bool(verified.all()) or iterations >= most:
            break
        # The residual is only a proxy of the error: ask for as much less than it is as the bound is too large.
        shrink = (tolerance / error[~verified]).clamp(1e-3, 0.5)
        residual_tolerance = float((step.residual[~verified] * shrink).min().clamp_max(residual_tolerance))
    if A.floating:
        u = u - u.mean(tuple(range(2, u.ndim)), keepdim=True)
    message = _message("bound", error, verified, iterations, tolerance)
    return Corrected(u, error, verified, iterations, message, "bound")


def verified_by_residual(solution: Solution, residual: PerSample, tolerance: float) -> Corrected:
    """The solution of any equation, verified by its residual, computed anew from the value in double precision.

    A residual is no bound of an error: it is the size of what the value leaves of the equation.
    """
    residual = torch.where(torch.isfinite(residual), residual, torch.inf)
    verified = residual <= tolerance
    message = _message("residual", residual, verified, solution.iterations, tolerance)
    return Corrected(solution.value, residual, verified, solution.iterations, message, "residual")


def _message(kind: Kind, error: PerSample, verified: Tensor, iterations: int, tolerance: float) -> str:
    measure = MEASURES[kind]
    if bool(verified.all()):
        return f"verified: {measure} of at most {float(error.max()):.1e} after {iterations} iterations"
    missing, overflown = int((~verified).sum()), int(error.isinf().sum())
    advice = f"in {overflown} numbers overflow, scale their inputs" if overflown else "ask for a looser tolerance"
    return (
        f"NOT verified: {missing} of {verified.numel()} samples have {measure} above {tolerance:.0e} (worst "
        f"{float(error.max()):.1e}) after {iterations} iterations: {advice}"
    )
