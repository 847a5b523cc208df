"""Guaranteed bounds on the energy error of any approximation of -div(a grad u) + c u = f."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.checks import (
    Values,
    checked_coefficient,
    checked_oscillation,
    checked_reaction,
    checked_source,
    checked_tensor,
    claimed,
)
from vcycle.hybrid.continuum import Continuum
from vcycle.hybrid.equation import Discrete, Equation, Field, PerSample
from vcycle.hybrid.tensor import Anisotropic
from vcycle.spaces import Domain, per_sample, root

Form = Literal["discrete", "continuum"]
SAFETY = 1 + 1e-10


@dataclass(frozen=True)
class Bound:
    """An upper bound of an energy error, and what exactly it bounds.

    value    (b,) >= |||u - v|||, |||w|||^2 = ||a^(1/2) grad w||^2 + ||c^(1/2) w||^2, in the units of that norm
    least    (b,) <= |||u|||: the larger of (f, v) / |||v||| and |||v||| - value
    field    v itself: the cell values ('discrete') or the vertex values of the continuous function ('continuum')
    form     'discrete': u solves the finite-volume equations; 'continuum': u solves the PDE
    cells    (b, 1, *grid) what the cells add to value^2
    """

    value: PerSample
    least: PerSample
    field: Float[Tensor, "b 1 *points"]
    form: Form
    cells: Field

    @property
    def relative(self) -> PerSample:
        """(b,) >= |||u - v||| / |||u|||; infinite where v says nothing about the size of u."""
        return relative_bound(self.value, self.least)


def energy_bound(
    v: Values,
    coefficient: Values,
    source: Values | float = 1.0,
    domain: Domain | None = None,
    *,
    reaction: Values | float | None = None,
    oscillation: Values | None = None,
    form: Form = "discrete",
    tighten: int = 0,
) -> Bound:
    """|||u - v|||^2 <= ||a^(-1/2) (q - a grad v)||^2 + ||c^(-1/2) (f + div q - c v)||^2 for every flux q with
    f + div q = 0 where c = 0 (Prager, Synge 1947).

    q is the finite-volume flux of v, brought to equilibrium by fast transforms, one if c is constant: it holds for
    *any* v (a network's output, zero, noise). `tighten` improves the flux, not v, by that many V-cycles
    (hybrid.tighten).

    v, coefficient, source, reaction: (b, 1, *grid) cell values, where source and reaction may be numbers; `domain` is
    the unit box with Dirichlet faces if not given. a > 0, c >= 0 and f are constant on cells; if f is not, `source` is
    its mean over every cell and `oscillation` the L2 norm over every cell of what deviates from it
    (hybrid.cell_data). A coefficient (b, d, d, *grid) is a symmetric positive definite tensor, for the continuum form.
    form 'discrete': distance of v to the solution of the finite-volume equations, which know the means of f only.
    form 'continuum': distance of the continuous function through the a-weighted averages of v at the vertices
    (multilinear on cells, zero on Dirichlet faces) to the PDE's solution; it counts the discretisation error.

    Computed in double precision and differentiable in v; the value includes what rounding left of the imbalance, and
    a relative 1e-10 for the rounding of the sums; it is infinite where v is not finite.
    Raises ValueError for a <= 0, c < 0, data that are not finite, mismatched shapes, or a source without mean zero
    where neither a Dirichlet face nor a reaction holds the constants.
    """
    if tighten < 0:
        raise ValueError(f"tighten is a number of V-cycles, got {tighten}: give 0 or more")
    domain = Domain.unit(v.ndim - 2) if domain is None else domain
    equation = equation_of(v, coefficient, domain, reaction, form)
    f = checked_source(source, v, domain, equation.c)
    if oscillation is not None and form == "discrete":
        raise ValueError("the discrete form knows means over cells only: give no oscillation, or form='continuum'")
    return bound_of(equation, v.double(), f, checked_oscillation(oscillation, v), form, tighten)


def equation_of(
    v: Values, coefficient: Values, domain: Domain, reaction: Values | float | None, form: Form
) -> Equation:
    """The equation with a scalar or, with two axes more than v has for the grid, a tensor as coefficient."""
    if form not in get_args(Form):
        raise ValueError(f"a bound has the form {' or '.join(get_args(Form))}, got {form!r}: ask for one of them")
    c = checked_reaction(reaction, v)
    if coefficient.ndim == v.ndim:
        return (Discrete if form == "discrete" else Continuum)(checked_coefficient(coefficient, v, domain), c, domain)
    A = checked_tensor(coefficient, v, domain)
    if form == "discrete":
        raise ValueError("the finite volumes behind the discrete form have no tensors: ask for form='continuum'")
    trace = A.diagonal(dim1=1, dim2=2).mean(-1)[:, None]
    return Anisotropic(trace, c, domain, moduli=A)


def bound_of(equation: Equation, v: Field, f: Field, oscillation: Field | None, form: Form, tighten: int) -> Bound:
    """The bound of cell values v, from any flow that the equation finds for them."""
    load = equation.volume * f
    q, w = equation.flow(v, load, tighten), equation.function(v)
    deviation = equation.deviation(w, oscillation).square()
    cells = equation.misfit(q, w)
    value = (root(_sum(cells)) + root(_sum(deviation)) + equation.imbalance(q, load)) * SAFETY
    norm, work = root(_sum(equation.square(w))), _sum(load * equation.means(w))
    if oscillation is not None:
        work = work - root(_sum(deviation)) * norm
    least = torch.maximum(norm - value, work / torch.where(norm > 0, norm, 1.0))
    return Bound(*claimed(value, least), w, form, _scaled(cells + deviation, value))


def relative_bound(value: PerSample, least: PerSample) -> PerSample:
    """value / least, infinite where nothing is known of the size of the solution; 0 where there is no error."""
    return torch.where(value == 0, 0.0, torch.where(least > 0, value / least, torch.inf))


def _scaled(cells: Field, value: PerSample) -> Field:
    """Shares of value^2: what rounding and cross terms add is shared out like the rest."""
    total = _sum(cells)
    even = value.square() / cells[0].numel()
    factor, each = torch.where(total > 0, value.square() / torch.where(total > 0, total, 1.0), 0.0), total == 0
    return cells * per_sample(factor, cells) + per_sample(torch.where(each, even, 0.0), cells)


def _sum(cells: Field) -> PerSample:
    return cells.flatten(1).sum(1)
