"""Newton's method for the minima of a batch of smooth convex energies, damped by a line search."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.solvers.solution import Solution
from vcycle.spaces import per_sample

Field = Float[Tensor, "b c *grid"]
PerSample = Float[Tensor, " b"]
SUFFICIENT = 0.1  # Newton on |x|^(3/2) jumps from x to -x: it must not pass for progress
SMALLEST_STEP = 2.0**-40
ROUNDING = 1e-13  # of an energy, relative: differences below are noise
PATIENCE = 3  # steps in which neither the energy falls nor the residual halves: rounding has been reached
FORCING = 1e-2  # the accuracy of the first steps; later ones are as accurate as the residual is small


class ConvexEnergy(ABC):
    """A convex function E of a field, for every sample of a batch."""

    @abstractmethod
    def value(self, u: Field) -> PerSample:
        """E(u)."""

    @abstractmethod
    def gradient(self, u: Field) -> Field:
        """E'(u)."""

    @abstractmethod
    def residual(self, u: Field, gradient: Field) -> PerSample:
        """The relative size of E'(u), by which convergence is judged."""

    @abstractmethod
    def step(self, u: Field, gradient: Field, accuracy: float) -> Field:
        """s with E''(u) s = -E'(u), to this relative accuracy; a direction of descent."""


def newton(energy: ConvexEnergy, start: Field, *, tolerance: float = 1e-10, most: int = 50) -> Solution:
    """u with E'(u) = 0: u <- u + t s with t = 1, 1/2, 1/4, ... the first that lowers E enough (Armijo).

    Converges from any start for strictly convex E, quadratically near the minimum. Samples that are done wait for the
    others unchanged.
    """
    u, iterations = start, 0
    value, gradient = energy.value(u), energy.gradient(u)
    residual = energy.residual(u, gradient)
    stuck, idle = torch.zeros_like(residual, dtype=torch.bool), torch.zeros_like(residual)
    while iterations < most and bool((active := (residual > tolerance) & ~stuck).any()):
        accuracy = min(FORCING, float(residual[active].min()))
        step = energy.step(u, per_sample(active, u) * gradient, accuracy)
        before, larger = value, residual
        u, value, moved = line_search(energy.value, u, value, step, (gradient * step).flatten(1).sum(1), active)
        gradient = energy.gradient(u)
        residual = energy.residual(u, gradient)
        better = (value < before - ROUNDING * before.abs()) | (residual < 0.5 * larger)
        idle = torch.where(better, 0, idle + 1)
        stuck = stuck | (active & (~moved | (idle >= PATIENCE)))
        iterations += 1
    converged = residual <= tolerance
    return Solution(u, residual, iterations, converged, _message(residual, converged, iterations, tolerance))


def line_search(
    energy: Callable[[Field], PerSample], u: Field, before: PerSample, step: Field, slope: PerSample, active: Tensor
) -> tuple[Field, PerSample, Tensor]:
    """u + t step for the first t = 1, 1/2, ... that lowers the energy enough, its energy, and whether t > 0."""
    t = active.to(u)
    while bool((t > 0).any()):
        there = u + per_sample(t, u) * step
        value = energy(there)
        high = active & (t > 0) & ~(value <= before + SUFFICIENT * t * slope + ROUNDING * before.abs())
        if not bool(high.any()):
            return torch.where(per_sample(t > 0, u), there, u), torch.where(t > 0, value, before), t > 0
        t = torch.where(high, torch.where(t > SMALLEST_STEP, t / 2, 0.0), t)
    return u, before, t > 0


def _message(residual: PerSample, converged: Tensor, iterations: int, tolerance: float) -> str:
    if bool(converged.all()):
        return f"converged in {iterations} Newton steps to relative residuals of at most {float(residual.max()):.1e}"
    missing = int((~converged).sum())
    return (
        f"{missing} of {converged.numel()} samples missed the tolerance {tolerance:.0e} after {iterations} Newton "
        f"steps (worst residual {float(residual.max()):.1e}): allow more, or a weaker nonlinearity"
    )
