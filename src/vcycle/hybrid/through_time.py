"""Guaranteed bounds over rollouts of the heat equation u_t - div(a grad u) = f."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.hybrid.bound import SAFETY, Form
from vcycle.hybrid.checks import Values, checked_coefficient
from vcycle.hybrid.continuum import Continuum
from vcycle.hybrid.equation import Discrete, Equation, Field
from vcycle.hybrid.reconstruction import mass
from vcycle.hybrid.time_interpolation import Instant, Interpolation, instants
from vcycle.spaces import Basis, Domain, Grid

PerInstant = Float[Tensor, "b t"]


@dataclass(frozen=True)
class RolloutBound:
    """Upper bounds of the errors of a trajectory v at its instants t_0 = 0, ..., t_n, and what they bound.

    state    (b, n + 1) >= ||u - v|| in L2 at every instant
    energy   (b, n + 1) >= (||u - v||^2 + integral from 0 of ||a^(1/2) grad(u - v)||^2)^(1/2) up to every instant;
             in the discrete form the integral is the sum over steps of what their ends have, times the step
    form     'discrete': u is the solution of implicit Euler steps of the finite-volume equations from v_0
             'continuum': u solves the PDE from the function that v_0 stands for
    """

    state: PerInstant
    energy: PerInstant
    form: Form


def rollout_bound(
    states: Values,
    coefficient: Values,
    source: Values | float,
    step: float,
    domain: Domain,
    *,
    form: Form = "discrete",
    interpolation: Interpolation = "cubic",
    tighten: int = 0,
) -> RolloutBound:
    """||e(T)||^2 + integral of ||a^(1/2) grad e||^2 <= integral of eta^2, e = u - v,

    with eta the bound of the elliptic problem -div(a grad w) = f - v_t at every instant (hybrid.energy_bound): it holds
    for *any* trajectory (a network's rollout, zero, noise) that starts where u does.

    states       (b, n + 1, *grid) cell values at t = 0, step, 2 step, ...
    coefficient  a > 0, (b, 1, *grid), the same at all times
    source       f, constant on cells and steps: a number, (b, 1, *grid), or (b, n, *grid), one per step
    form 'discrete': distance to (u_k - u_(k-1)) / step - div(a grad u_k) = f_k on the cells.
    form 'continuum': distance to the PDE of the function that is multilinear on cells at every instant (hybrid.bound),
    in time 'linear' between states or 'cubic' (hybrid.time_interpolation). The order of the bound in time is 1 or 2;
    for smooth trajectories prefer 'cubic', for rough ones 'linear'.

    An error at the start adds its L2 norm at most. Without a Dirichlet face the mean of the error is known exactly and
    counted so. Raises ValueError as energy_bound does, for fewer than two states, and for a step that is not positive.
    Source: Repin, Rend. Mat. Acc. Lincei 13, 2002; docs/theory_beyond.md has the proof and the contraction used.
    """
    if states.ndim != domain.dimension + 2 or states.shape[1] < 2:
        raise ValueError(
            f"states must have shape (batch, instants, *grid) with two or more instants and {domain.dimension} grid "
            f"axes, got {tuple(states.shape)}"
        )
    if not 0 < step < math.inf:
        raise ValueError(f"the step of time must be positive, got {step:g}")
    v = states.double()
    b, steps, grid = v.shape[0], v.shape[1] - 1, tuple(v.shape[2:])
    a = checked_coefficient(coefficient, v[:, :1], domain)
    f = torch.as_tensor(source, dtype=torch.float64, device=v.device)
    if f.ndim and f.shape not in {(n, k, *grid) for n in (1, b) for k in (1, steps)}:
        raise ValueError(
            f"the source must be a number or have shape ({b}, 1 or {steps}, *{grid}), got {tuple(f.shape)}"
        )
    f = f.expand(b, steps, *grid)
    equation = (Discrete if form == "discrete" else Continuum)(a.repeat_interleave(steps, 0), None, domain)
    ends = [Instant(v[:, 1:], v.diff(dim=1) / step, 1.0)]
    moments = ends if form == "discrete" else instants(v, step, interpolation)
    # Each part is integrated exactly; roots of integrals of (x + y)^2 are at most the sums of their own (Minkowski).
    parts = torch.stack([m.weight * _elliptic_squares(equation, m, f, form, tighten) for m in moments]).sum(0)
    square = step * parts.sqrt().sum(0).square()
    mean = _mean_error(equation, v, f, step) if domain.floating else v.new_zeros(b, steps + 1)
    total = torch.nn.functional.pad(square.cumsum(1), (1, 0))
    rest = _accumulated(square, slowest_rate(a, domain, grid, form), step, form)
    return RolloutBound(*((mean.square() + part).sqrt() * SAFETY for part in (rest, total)), form)


def _elliptic_squares(
    equation: Equation, instant: Instant, f: Tensor, form: Form, tighten: int
) -> Float[Tensor, "3 b steps"]:
    """Parts whose roots add up to eta in every step: flux, what varies within cells, rounding.

    The source is f - v_t, less its mean where nothing holds constants.
    """
    b, steps = f.shape[:2]
    v, v_t = (part.flatten(0, 1)[:, None] for part in (instant.value, instant.slope))
    w, w_t = equation.function(v), equation.function(v_t)
    load = equation.volume * (f.flatten(0, 1)[:, None] - equation.means(w_t))
    if equation.domain.floating:
        load = load - load.mean(tuple(range(1, load.ndim)), keepdim=True)
    q = equation.flow(v, load, tighten)
    varying = None if form == "discrete" else (equation.volume * mass(w_t, equation.domain)[1]).sqrt()
    misfit, deviation = equation.misfit(q, w), equation.deviation(w, varying).square()
    flux, rest = (part.flatten(1).sum(1) for part in (misfit, deviation))
    return torch.stack([flux, rest, equation.imbalance(q, load).square()]).view(3, b, steps)


def _accumulated(square: Tensor, slowest: Tensor, step: float, form: Form) -> Tensor:
    """The bounds of ||e||^2 at all instants: E <- d E + eta^2 / (2 (1 - s)), d the decay by a share s of the energy.

    Any s in [0, 1) is valid; the one taken is the best for small steps.
    """
    error = [torch.zeros_like(square[:, 0])]
    for eta in square.unbind(1):
        room = (slowest * step * error[-1]).sqrt()
        share = (1 - eta.sqrt() / torch.where(room > 0, 2 * room, 1.0)).clamp(0.0, 0.999) * (room > 0)
        gained, decay = eta / (2 * (1 - share)), 2 * share * slowest * step
        error.append((error[-1] + gained) / (1 + decay) if form == "discrete" else error[-1] * (-decay).exp() + gained)
    return torch.stack(error, 1)


def slowest_rate(a: Field, domain: Domain, grid: tuple[int, ...], form: Form) -> Float[Tensor, " b"]:
    """A lower bound of the smallest positive eigenvalue of -div(a grad .)."""
    basis = Basis(domain)
    if form == "discrete":
        eigenvalues = basis.laplacian(basis.counts(grid), Grid(domain, grid).spacing)
    else:
        eigenvalues = basis.laplacian((3,) * domain.dimension)  # the lowest modes of every axis
    positive = eigenvalues[eigenvalues > 1e-9 * eigenvalues.max()]
    return a.flatten(1).amin(1) * (float(positive.min()) if len(positive) else 0.0)


def _mean_error(equation: Equation, v: Tensor, f: Tensor, step: float) -> PerInstant:
    """|domain|^(1/2) times the mean of u - v: what the source adds in every step, less what v gains."""
    gain = equation.means(equation.function(v.diff(dim=1).flatten(0, 1)[:, None])).flatten(1).mean(1)
    error = (step * f.flatten(2).mean(2) - gain.view(f.shape[:2])).cumsum(1)
    return math.sqrt(math.prod(equation.domain.lengths)) * torch.nn.functional.pad(error, (1, 0))
