"""An implicit step of the heat equation: order, maximum principle, conservation, and the limits of its step."""

import itertools
import math

import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.hybrid import energy_bound, solve_to_tolerance
from vcycle.problems import ImplicitHeat
from vcycle.spaces import L2, Domain


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("step", [1e-4, 1.0])
def test_labels_agree_with_the_independent_solver(dimension, boundary, step):
    P = ImplicitHeat(domain(dimension, boundary), PRIORS["contrast 100"], step)
    inputs = P.sample(((64,), (20, 16), (8, 6, 10))[dimension - 1], 5, range(3))
    solution = P.solve(inputs)
    assert solution.converged.all()
    assert bool((P.verify(inputs, solution.value) < 1e-8).all())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_second_order_on_manufactured_solutions(boundary):
    P, errors = ImplicitHeat(domain(2, boundary), step=0.05), []
    for n in (16, 32, 64):
        a, start, u = P.manufactured((n, n))
        errors.append(float(L2(P.domain).relative(P.solve(torch.cat([a, start], 1)).value, u)))
    orders = [math.log2(e / finer) for e, finer in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_maxima_do_not_grow_and_without_dirichlet_faces_the_integral_is_kept(boundary):
    P = ImplicitHeat(domain(2, boundary), PRIORS["contrast 1e6"])
    inputs = P.sample((12, 10), 2, range(4))
    start, u = inputs[:, 1:], P.solve(inputs, 1e-12).value
    assert bool((u.flatten(1).amax(1) <= start.flatten(1).amax(1).clamp_min(0) + 1e-9).all())
    assert bool((u.flatten(1).amin(1) >= start.flatten(1).amin(1).clamp_max(0) - 1e-9).all())
    if P.domain.floating:
        torch.testing.assert_close(u.mean((1, 2, 3)), start.mean((1, 2, 3)), rtol=0, atol=1e-9)


def test_a_short_step_changes_nothing_and_a_long_one_leaves_the_mean():
    D = Domain.unit(2, "neumann")
    inputs = ImplicitHeat(D).sample((16, 16), 0, range(2))
    start = inputs[:, 1:]
    torch.testing.assert_close(ImplicitHeat(D, step=1e-9).solve(inputs).value, start, rtol=0, atol=1e-4)
    mean = start.mean((2, 3), keepdim=True).expand_as(start)
    torch.testing.assert_close(ImplicitHeat(D, step=1e6).solve(inputs).value, mean, rtol=0, atol=1e-5)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_it_has_the_guaranteed_bound_and_solutions_to_a_verified_tolerance(boundary):
    P = ImplicitHeat(domain(2, boundary))
    inputs = P.sample((16, 16), 0, range(3))
    a, f = P.fields(inputs)
    c, u = P.reaction(inputs), P.solve(inputs).value
    error = P.energy_norm(inputs)(0.1 * u)
    bound = energy_bound(0.9 * u, a, f, P.domain, reaction=c)
    assert bool((bound.value >= error * (1 - 1e-9)).all())
    assert bool((bound.value < 1.5 * error).all())
    corrected = solve_to_tolerance(None, a, f, P.domain, reaction=c, tolerance=1e-6)
    assert corrected.verified.all()
    assert bool((P.energy_norm(inputs).relative(corrected.value, u) < 1e-6).all())


def test_a_step_must_be_positive():
    with pytest.raises(ValueError, match="finite step > 0, got -1"):
        ImplicitHeat(step=-1.0)
