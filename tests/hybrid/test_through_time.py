"""Rollouts of the heat equation: bounds hold for any trajectory, on the grid and for the PDE with an interface."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch

from references.cases import BOUNDARIES, domain
from references.heat import implicit_euler
from vcycle.hybrid.reconstruction import at_vertices
from vcycle.hybrid.through_time import rollout_bound
from vcycle.hybrid.time_interpolation import instants
from vcycle.operators import FiniteVolume
from vcycle.spaces import Domain, Grid


def trajectories(u, seed):
    """From the same start: the solution, zero, noise, a drift of 5 %, a jump half-way."""
    torch.manual_seed(seed)
    later = torch.linspace(0, 1, u.shape[1], dtype=torch.float64).view(1, -1, *[1] * (u.ndim - 2))
    moved = {"solution": u, "zero": 0 * u, "noise": torch.randn_like(u), "drift": u * (1 + 0.05 * later)}
    moved["jump"] = u + (later > 0.5) * u.abs().max()
    return {name: torch.cat([u[:, :1], v[:, 1:]], 1) for name, v in moved.items()}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(9,), (6, 5), (3, 4, 3)])
def test_bounds_the_distance_to_implicit_euler_at_every_instant(shape, boundary):
    """3 grids x 5 boundaries x 5 trajectories x 3 contrasts x 7 instants: 1,575 errors."""
    D, steps, step = domain(len(shape), boundary), 6, 0.03
    torch.manual_seed(1)
    contrast = torch.tensor([1.0, 100.0, 1e4]).double().view(3, *[1] * (len(shape) + 1))
    a = torch.where(torch.rand(3, 1, *shape) < 0.5, 1.0, contrast)
    u = implicit_euler(torch.randn(3, *shape).double(), a, f := torch.randn(3, steps, *shape).double(), step, D)
    A, cell = FiniteVolume.assemble(a, D), math.prod(Grid(D, shape).spacing)
    for name, v in trajectories(u, 2).items():
        e = u - v
        square = cell * e.square().flatten(2).sum(2)
        dissipated = torch.stack([(w[:, None] * A(w[:, None])).flatten(1).sum(1) for w in e.unbind(1)], 1)
        energy = (square + step * dissipated.cumsum(1)).sqrt()
        for tighten in (0, 2) if name == "noise" else (0,):
            bound = rollout_bound(v, a, f, step, D, tighten=tighten)
            rounding = 1e-9
            assert bool((bound.state >= square.sqrt() - rounding).all()), name
            assert bool((bound.energy >= energy - rounding).all()), name
            if name == "solution":
                assert float(bound.energy.max()) < 1e-8


def interface(contrast):
    """(lambda, u(x), a u'(x)): the lowest mode of -(a u')' = lambda u, a = 1 below 1/2, `contrast` above, 0 at ends."""

    def jump(mu):
        nu = mu / math.sqrt(contrast)
        return mu * math.cos(mu / 2) * math.sin(nu / 2) + contrast * nu * math.cos(nu / 2) * math.sin(mu / 2)

    marks = np.linspace(1e-3, 2 * math.pi * math.sqrt(max(contrast, 1)), 4000)
    first = next(i for i in range(len(marks)) if jump(marks[i]) * jump(marks[i + 1]) < 0)
    mu = scipy.optimize.brentq(jump, marks[first], marks[first + 1], xtol=1e-14)
    nu = mu / math.sqrt(contrast)

    def value(x):
        return torch.where(x < 0.5, torch.sin(mu * x) / math.sin(mu / 2), torch.sin(nu * (1 - x)) / math.sin(nu / 2))

    def flux(x):
        left, right = mu * torch.cos(mu * x) / math.sin(mu / 2), nu * torch.cos(nu * (1 - x)) / math.sin(nu / 2)
        return torch.where(x < 0.5, left, -contrast * right)

    return mu**2, value, flux


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("contrast", [1.0, 4.0, 100.0])
def test_bounds_the_distance_to_the_pde_across_an_interface(contrast, interpolation):
    """u = e^(-lambda t) u(x) without a source. What v_0 misses of u(0) adds its norm; all by Gauss quadrature."""
    D, n, steps = Domain.unit(1), 16, 8
    rate, value, flux = interface(contrast)
    step, centres = 1.0 / rate / steps, Grid(D, (n,)).axis(0)
    a = torch.where(centres < 0.5, 1.0, contrast).double()[None, None]
    times = step * torch.arange(steps + 1).double()
    u = torch.exp(-rate * times)[None, :, None] * value(centres)
    points, weights = (torch.from_numpy(p) for p in np.polynomial.legendre.leggauss(8))
    share, h = (points + 1) / 2, 1 / n
    x = (torch.arange(n).double()[:, None] + share) * h

    def error(v, t):
        """||u - v|| and ||a^(1/2) (u - v)'|| at the times t, v (times, n)."""
        w = at_vertices(v[:, None], a.expand(len(v), 1, n), D)[:, 0]
        decay = torch.exp(-rate * t)[:, None, None]
        inside = decay * value(x) - torch.lerp(w[:, :-1, None], w[:, 1:, None], share)
        slope = decay * flux(x) / a[0, 0, :, None] - (w.diff(dim=1) / h)[:, :, None]
        return [
            ((e.square() * k * weights).sum((1, 2)) * h / 2).sqrt() for e, k in ((inside, 1), (slope, a[0, 0, :, None]))
        ]

    for name, v in trajectories(u, 3).items():
        bound = rollout_bound(v, a, 0.0, step, D, form="continuum", interpolation=interpolation)
        state, _ = error(v[0], times)
        assert bool((bound.state[0] + state[0] >= state).all()), name
        dissipated = torch.zeros(steps).double()
        gauss = np.polynomial.legendre.leggauss(2 if interpolation == "linear" else 4)[0]
        for instant, s in zip(instants(v, step, interpolation), (gauss + 1) / 2, strict=True):
            dissipated += instant.weight * step * error(instant.value[0], times[:-1] + s * step)[1].square()
        energy = (state.square() + torch.nn.functional.pad(dissipated.cumsum(0), (1, 0))).sqrt()
        assert bool((bound.energy[0] + state[0] >= energy).all()), name
        if name == "solution" and interpolation == "cubic":
            assert float(bound.energy[0, -1]) < 1.7 * float(energy[-1])


def test_cubic_interpolation_is_exact_for_cubic_states_and_integrates_their_squares():
    states = torch.tensor([[0.0, 1.0, 4.0, 9.0, 16.0]]).double()[..., None]  # t^2, whose parabolas are itself
    pieces = sum((k**4 + k**2 * (k + 1) ** 2 + (k + 1) ** 4) / 3 for k in range(4))
    for interpolation, exact in (("cubic", 4.0**5 / 5), ("linear", pieces)):
        square = sum(m.weight * m.value.square().sum() for m in instants(states, 1.0, interpolation))
        assert abs(float(square) - exact) < 1e-10
    slopes = sum(m.weight * m.slope.square().sum() for m in instants(states, 1.0, "cubic"))
    assert abs(float(slopes) - 4 * 4**3 / 3) < 1e-10


def test_the_bound_for_a_smooth_trajectory_is_of_second_order_in_the_step_if_cubic_else_first():
    """Discrete in space by so many cells that the steps decide; the mode decays by 1 / e."""
    D, n = Domain.unit(1), 1024
    x = Grid(D, (n,)).axis(0)
    a = torch.ones(1, 1, n).double()
    for interpolation, order in (("linear", 1), ("cubic", 2)):
        values = []
        for steps in (4, 8):
            times = torch.arange(steps + 1).double() / steps / math.pi**2
            v = torch.exp(-(math.pi**2) * times)[None, :, None] * torch.sin(math.pi * x)
            bound = rollout_bound(v, a, 0.0, float(times[1]), D, form="continuum", interpolation=interpolation)
            values.append(float(bound.energy[0, -1]))
        assert abs(math.log2(values[0] / values[1]) - order) < 0.3, (interpolation, values)


def test_without_dirichlet_faces_the_error_of_the_mean_is_exact():
    """v = 0 after the start, a constant state and source: the error is the mean alone, 1 + t."""
    for boundary in ("neumann", "periodic"):
        D = Domain([2.0, 0.5], boundary)
        v = torch.zeros(1, 5, 4, 4).double()
        v[:, 0] = 1
        for form in ("discrete", "continuum"):
            bound = rollout_bound(v, torch.ones(1, 1, 4, 4), 1.0, 0.25, D, form=form, interpolation="linear")
            assert torch.allclose(bound.state[0, 1:], 1 + torch.arange(1, 5).double() / 4, rtol=1e-9, atol=0)


def test_old_errors_decay():
    """After a jump at the first step the trajectory is a solution again: the bound falls as errors do, not slower."""
    D, n, steps, step = Domain.unit(1), 16, 20, 0.02
    start, a = torch.sin(math.pi * Grid(D, (n,)).axis(0))[None], torch.ones(1, 1, n).double()
    f = torch.zeros(1, steps, n).double()
    u = implicit_euler(start, a, f, step, D)
    v = torch.cat([u[:, :1], implicit_euler(1.5 * u[:, 1], a, f[:, 1:], step, D)], 1)
    bound = rollout_bound(v, a, 0.0, step, D).state[0]
    assert float(bound[-1]) < 0.05 * float(bound[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"states": torch.zeros(1, 1, 4, 4)}, "two or more instants"),
        ({"step": 0.0}, "step of time must be positive"),
        ({"source": torch.zeros(1, 7, 4, 4)}, "the source must be a number"),
        ({"coefficient": torch.zeros(1, 1, 4, 4)}, "must be positive"),
    ],
)
def test_says_what_does_not_fit(change, words):
    given = {"states": torch.zeros(1, 3, 4, 4), "coefficient": torch.ones(1, 1, 4, 4), "source": 0.0, "step": 0.1}
    with pytest.raises(ValueError, match=words):
        rollout_bound(**{**given, "domain": Domain.unit(2), **change})
