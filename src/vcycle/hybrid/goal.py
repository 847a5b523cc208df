"""Quantities of interest with an interval that is guaranteed to hold them."""

import math
from dataclasses import dataclass

import torch

from vcycle.hybrid.bound import SAFETY, Form, equation_of
from vcycle.hybrid.checks import Values, checked_source
from vcycle.hybrid.equation import Equation, Field, Function, PerSample
from vcycle.hybrid.flow import Flow
from vcycle.spaces import Domain, Grid, conductances, per_sample, root

SUMS = 1e-12  # the rounding of a sum, relative to its largest part


@dataclass(frozen=True)
class Goal:
    """low <= J(u) <= high, guaranteed.

    value    (b,) J(v) corrected by what the dual approximation knows of u - v
    radius   (b,) >= |J(u) - value|
    """

    value: PerSample
    radius: PerSample

    @property
    def low(self) -> PerSample:
        return self.value - self.radius

    @property
    def high(self) -> PerSample:
        return self.value + self.radius


@dataclass(frozen=True)
class _Side:
    """One of the two problems: its load, function and flow; m and o of the bound m + o."""

    load: Field
    w: Function
    q: Flow
    misfit: PerSample
    rest: PerSample


def goal(
    v: Values,
    dual: Values,
    coefficient: Values,
    source: Values | float,
    functional: Values | float,
    domain: Domain | None = None,
    *,
    reaction: Values | float | None = None,
    form: Form = "discrete",
    tighten: int = 0,
) -> Goal:
    """|J(u) - value| <= 1/2 bound(v) bound(dual) for J(u) = integral of g u, where -div(a grad u) + c u = f.

    value = J(v) + (f, w) - B(v, w) + 1/2 <misfit of v, misfit of w>, B the inner product of the energy, and w the
    `dual`, any approximation of the solution z of -div(a grad z) + c z = g. The interval holds J(u) also for w = 0, and
    is the shorter the nearer v is to u and w to z. The mean over the domain has g = 1 / volume, that over a box
    g = 1 / its volume there and 0 elsewhere; `outflow` is the functional of the flow through a face.

    v, dual, source and the functional g are cell values (source and g may be numbers); the other arguments, `form` and
    `tighten` as in `energy_bound`. Raises ValueError as that does; with neither a Dirichlet face nor a reaction g must
    have mean zero like f, or J is not determined.
    """
    domain = Domain.unit(v.ndim - 2) if domain is None else domain
    equation = equation_of(v, coefficient, domain, reaction, form)
    f, g = (checked_source(one, v, domain, equation.c) for one in (source, functional))
    if dual.shape != v.shape:
        raise ValueError(
            f"the dual approximation has the shape {tuple(dual.shape)}, and v {tuple(v.shape)}: make equal"
        )
    primal, other = _side(equation, v.double(), f, tighten), _side(equation, dual.double(), g, tighten)
    known, worked = _sum(other.load * equation.means(primal.w)), _sum(primal.load * equation.means(other.w))
    norms = [root(_sum(equation.square(side.w))) for side in (primal, other)]
    ratio = _ratio(*norms)
    plus, minus = (_sum(equation.square(primal.w + sign * per_sample(ratio, other.w) * other.w)) for sign in (1, -1))
    product = (plus - minus) / (4 * ratio)
    value = known + worked - product + _shared(equation, primal, other) / 2
    size = known.abs() + worked.abs() + norms[0] * norms[1] + primal.misfit * other.misfit
    half = (primal.misfit.square() / 4 + primal.rest * (primal.misfit + primal.rest)).sqrt()
    radius = other.misfit * half + other.rest * (primal.misfit + primal.rest)
    return Goal(value, radius * SAFETY + SUMS * size)


def outflow(a: Field, domain: Domain, axis: int, end: int) -> Field:
    """g whose integral with u is the flow -a du/dn out of a Dirichlet face, end 0 (low) or -1 (high) of an axis.

    In the discrete form only: k u of the cells along the face, at half a cell from the value 0.
    """
    if domain.boundary[axis][end] != "dirichlet":
        raise ValueError(
            f"nothing flows through a {domain.boundary[axis][end]} face of {domain}: take a dirichlet face"
        )
    k, dim = conductances(a.double(), domain)[axis], axis - domain.dimension
    n, volume = a.shape[dim], math.prod(Grid(domain, tuple(a.shape[2:])).spacing)
    g = torch.zeros_like(a, dtype=torch.float64)
    cell, face = (0, 0) if end == 0 else (n - 1, n)
    g.narrow(dim, cell, 1).copy_(k.narrow(dim, face, 1) / volume)
    return g


def _side(equation: Equation, v: Field, f: Field, tighten: int) -> _Side:
    load = equation.volume * f
    q, w = equation.flow(v, load, tighten), equation.function(v)
    rest = root(_sum(equation.deviation(w, None).square())) + equation.imbalance(q, load)
    return _Side(load, w, q, root(_sum(equation.misfit(q, w))), rest)


def _shared(equation: Equation, one: _Side, other: _Side) -> PerSample:
    """The inner product of the misfits, by polarisation of their squares after scaling to the same size."""
    ratio = _ratio(one.misfit, other.misfit)
    plus, minus = (
        _sum(
            equation.misfit(
                tuple(s + sign * per_sample(ratio, t) * t for s, t in zip(one.q, other.q, strict=True)),
                one.w + sign * per_sample(ratio, other.w) * other.w,
            )
        )
        for sign in (1, -1)
    )
    return (plus - minus) / (4 * ratio)


def _ratio(one: PerSample, other: PerSample) -> PerSample:
    return torch.where((one > 0) & (other > 0), one / torch.where(other > 0, other, 1.0), 1.0)


def _sum(cells: Field) -> PerSample:
    return cells.flatten(1).sum(1)
