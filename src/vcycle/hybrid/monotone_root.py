"""Increasing functions of a number, inverted for many numbers at once."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.convex_energy import Integrand

Values = Float[Tensor, "..."]
Function = Callable[[Values], tuple[Values, Values]]
STEPS = 100
ROUNDING = 1e-15
ROUGH = 1e-8  # of a logarithm; a last step of Newton's method squares it
LARGEST = 1e150


def monotone_root(
    function: Function, target: Values, start: Values, accuracy: float = ROUNDING, unit: float = 0.0
) -> Values:
    """x where the function, which returns its value and its slope, has the target as value.

    Newton's method in steps of at most max(|x|, 1), halving the interval that is known to hold x where it would leave
    it, until x moves by at most accuracy (|x| + unit), or the target is met to rounding.
    """
    x = start
    low, high = torch.full_like(x, -torch.inf), torch.full_like(x, torch.inf)
    moves = torch.ones_like(x, dtype=torch.bool)
    for _ in range(STEPS):
        value, slope = function(x)
        rest = target - value
        moves = moves & (rest.abs() > ROUNDING * target.abs())
        low, high = torch.where(rest > 0, x, low), torch.where(rest < 0, x, high)
        reach, step = x.abs().clamp_min(1), rest / slope
        there = x + torch.where((slope > 0) & (step.abs() < reach), step, rest.sign() * reach)
        there = torch.where((there < low) | (there > high), (low + high) / 2, there)
        x, before = torch.where(moves, there, x), x
        moves = moves & ((x - before).abs() > accuracy * (x.abs() + unit))
        if not bool(moves.any()):
            break
    return x


def slope_of(law: Integrand, flux: Values, start: Values) -> Values:
    """y >= 0 with y D(y^2) = flux, infinite where there is none: in logarithms, where powers are lines."""
    one = torch.ones((), dtype=flux.dtype, device=flux.device)
    within = flux < LARGEST * law.diffusivity(LARGEST**2 * one)
    goal = torch.where((flux > 0) & within, flux, law.diffusivity(one))

    def logarithm(x: Values) -> tuple[Values, Values]:
        s = (2 * x).exp()
        D = law.diffusivity(s)
        return x + D.log(), 1 + 2 * s * law.diffusivity_slope(s) / D

    y = monotone_root(logarithm, goal.log(), torch.where(start > 0, start, goal).log(), ROUGH, 1.0).exp()
    s = y.square()
    D = law.diffusivity(s)
    y = y + (goal - y * D) / (D + 2 * s * law.diffusivity_slope(s))
    return torch.where(within, torch.where(flux > 0, y, 0.0), torch.inf)
