"""Bregman distances of convex integrands: how far a function lies above its tangent."""

import torch

from vcycle.hybrid.convex_energy import Energy, Field, Integrand, PerSample, Values

ROUNDING = 1e-14  # of the terms of a difference, relative


def above_tangent(
    value: tuple[Values, Values], slope: Values, curvature: tuple[Values, Values], step: Values
) -> Values:
    """F(x) - F(y) - F'(y) (x - y), bounded from above within rounding: F(x) and F(y), F'(y), F''(x) and F''(y), x - y.

    The smaller of the difference itself with the rounding of its terms, useless where x is near y, and of
    (x - y)^2 / 2 times the larger curvature, sharp where x is near y; F'' is largest at an end of any interval.
    """
    here, tangent = value[0], value[1] + slope * step
    direct = here - tangent + ROUNDING * (here.abs() + value[1].abs() + (slope * step).abs())
    return torch.fmin(direct, torch.maximum(*curvature) * step.square() / 2)


def gradient_distance(law: Integrand, p: Values, q: Values) -> Values:
    """W(p) - W(q) - W'(q) . (p - q) >= 0, W(p) = l(|p|^2), from above; the third axis of p and q is that of d.

    With s = |p|^2, t = |q|^2 it is D(t) |p - q|^2 / 2 + (l(s) - l(t) - l'(t) (s - t)).
    """
    s, t, difference = p.square().sum(2), q.square().sum(2), p - q
    step = (difference * (p + q)).sum(2)
    D = law.diffusivity(t)
    curvature = (law.diffusivity_slope(s) / 2, law.diffusivity_slope(t) / 2)
    bent = above_tangent((law.density(s), law.density(t)), D / 2, curvature, step)
    return (D * difference.square().sum(2) / 2 + bent).clamp_min(0)


def potential_distance(law: Integrand, u: Field, w: Field) -> Field:
    """V(u) - V(w) - V'(w) (u - w) >= 0, from above."""
    values, curvature = (law.potential(u), law.potential(w)), (law.reaction_slope(u), law.reaction_slope(w))
    return above_tangent(values, law.reaction(w), curvature, u - w).clamp_min(0)


def energy_distance(energy: Energy, v: Field, u: Field) -> PerSample:
    """(2 (E(v) - E(u)))^(1/2) for the minimum u of E: the energy norm of v - u if E is quadratic.

    Without the cancellation of E(v) - E(u), to a relative 1e-4: as E'(u) = 0, it is a Bregman distance.
    """
    return (2 * energy.cell * total_distance(energy, (energy.slopes(v), v), (energy.slopes(u), u))).sqrt()


def total_distance(energy: Energy, x: tuple[Values, Field], y: tuple[Values, Field]) -> PerSample:
    """The Bregman distance from y = (q, w) to x = (p, u), slopes and values, summed over the cells: |cell| left out."""
    law = energy.integrand
    cells = energy.a * gradient_distance(law, x[0], y[0]).mean(2) + energy.c * potential_distance(law, x[1], y[1])
    return cells.flatten(1).sum(1)


def energy_of_rest(energy: Energy) -> PerSample:
    """E_0, the energy of no slopes and no values, whatever the boundary values are."""
    zero = torch.zeros_like(energy.f)
    cells = energy.a * energy.integrand.density(zero) + energy.c * energy.integrand.potential(zero)
    return energy.cell * cells.flatten(1).sum(1)
