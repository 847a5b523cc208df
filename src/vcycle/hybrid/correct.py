"""Solving to a verified tolerance: something proposes, conjugate gradients disposes, the bound decides."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vcycle.hybrid.bound import checked, energy_bound
from vcycle.operators import FiniteVolume, geometric_multigrid
from vcycle.solvers import conjugate_gradients
from vcycle.spaces import Domain, Grid

Field = Float[Tensor, "b 1 *grid"]
ROUNDS = 8
TIGHTEN = 2


@dataclass(frozen=True)
class Corrected:
    """A solution of the discrete equations whose error is known.

    value       (b, 1, *grid)
    error       (b,) guaranteed bound of the relative energy error ||u - value||_a / ||u||_a
    verified    (b,) whether that bound is at most the tolerance
    iterations  conjugate gradient iterations, each with one V-cycle, for the batch
    message     one sentence; what to try next where something is not verified
    """

    value: Field
    error: Float[Tensor, " b"]
    verified: Bool[Tensor, " b"]
    iterations: int
    message: str


@torch.no_grad()
def solve_to_tolerance(
    proposal: Field | None,
    coefficient: Field,
    source: Field | float = 1.0,
    domain: Domain | None = None,
    *,
    tolerance: float = 1e-8,
    most: int = 500,
) -> Corrected:
    """u with ||u_h - u||_a <= tolerance ||u_h||_a, verified by the guaranteed bound, or a result that says it is not.

    u_h solves the finite-volume equations of -div(a grad u) = f. The proposal (a network's output, or None for zero)
    is the starting point, scaled to the multiple with the least energy: whatever it is, its energy error is then no
    larger than that of zero, and non-finite samples start from zero. Arguments as in `energy_bound`.
    """
    v = torch.zeros_like(coefficient) if proposal is None else proposal
    domain = Domain.unit(v.ndim - 2) if domain is None else domain
    a, f = checked(v, coefficient, source, domain)
    A = FiniteVolume.assemble(a, domain)
    load = f * math.prod(Grid(domain, tuple(v.shape[2:])).spacing)
    cycle, weight = geometric_multigrid(A), 1 / A.diagonal
    u = best_multiple(v.double(), A, load)
    residual_tolerance, iterations = tolerance, 0
    for _ in range(ROUNDS):
        step = conjugate_gradients(
            A,
            load,
            cycle,
            start=u,
            weight=weight,
            floating=domain.floating,
            tolerance=residual_tolerance,
            most=most - iterations,
        )
        u, iterations = step.value, iterations + step.iterations
        error = energy_bound(u, a, f, domain, tighten=TIGHTEN).relative
        verified = error <= tolerance
        if bool(verified.all()) or iterations >= most:
            break
        # The residual is only a proxy of the error: ask for as much less of it as the bound is too large.
        shrink = (tolerance / error[~verified]).min().clamp(1e-3, 0.5)
        residual_tolerance = float(residual_tolerance * shrink)
    if domain.floating:
        u = u - u.mean(tuple(range(2, u.ndim)), keepdim=True)
    return Corrected(u, error, verified, iterations, _message(error, verified, iterations, tolerance))


def best_multiple(v: Field, A: FiniteVolume, load: Field) -> Field:
    """(f, v) / (A v, v) v, the multiple of v closest to the solution in energy; 0 where v is 0 or not finite."""
    axes = tuple(range(1, v.ndim))
    finite = torch.isfinite(v).all(dim=1).flatten(1).all(1).view(-1, *[1] * (v.ndim - 1))
    v = torch.where(finite, v, 0.0)
    largest = v.abs().amax(axes, keepdim=True)
    v = v / torch.where(largest > 0, largest, 1.0)  # squares of huge values would overflow
    energy = (v * A(v)).sum(axes, keepdim=True)
    factor = (load * v).sum(axes, keepdim=True) / torch.where(energy > 0, energy, 1.0)
    return torch.where(energy > 0, factor, 0.0) * v


def _message(error: Tensor, verified: Tensor, iterations: int, tolerance: float) -> str:
    if bool(verified.all()):
        return f"verified: relative energy errors of at most {float(error.max()):.1e} after {iterations} iterations"
    missing = int((~verified).sum())
    return (
        f"NOT verified: {missing} of {verified.numel()} samples have error bounds above {tolerance:.0e} (worst "
        f"{float(error.max()):.1e}) after {iterations} iterations: ask for a looser tolerance"
    )
