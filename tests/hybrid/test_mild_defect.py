"""The defect bounds the distance to the solution, vanishes with it, and is exact where nothing is non-linear."""

import math
from itertools import pairwise

import pytest
import torch

from vcycle.hybrid import MildDefect
from vcycle.solvers import FourierGrid, Semilinear, evolve
from vcycle.spaces import L2, Domain, GaussianField

DOMAIN = Domain([2 * math.pi], "periodic")


def burgers(n, viscosity=0.05):
    grid = FourierGrid(DOMAIN, (n,))
    slope = 1j * grid.odd_wavenumbers[0] * grid.resolved

    def nonlinear(u_hat):
        return -0.5 * slope * grid.transform(grid.inverse(u_hat * grid.resolved).square())

    def rate(u):
        return -0.5 * grid.inverse(slope * grid.transform(u)).flatten(1).amin(1)

    return Semilinear(grid, viscosity * grid.laplacian, nonlinear), rate


def states(n, count, alpha=4.0):
    return GaussianField(DOMAIN, alpha, 1.0).standard((n,), 3, range(count))


def test_without_a_nonlinear_term_the_defect_is_the_error():
    grid = FourierGrid(DOMAIN, (32,))
    linear = 0.1 * grid.laplacian - 1j * grid.odd_wavenumbers[0]
    equation = Semilinear(grid, linear, torch.zeros_like)
    defect = MildDefect(equation, 0.7, lambda v: v.new_zeros(len(v)))
    u, noise = states(32, 5), torch.randn(5, 1, 32, generator=torch.manual_seed(1), dtype=torch.float64)
    exact = grid.inverse((0.7 * linear).exp() * grid.transform(u))
    bound, growth = defect(u, exact + noise)
    torch.testing.assert_close(bound, L2(DOMAIN)(noise), rtol=1e-12, atol=0)
    assert growth.tolist() == [1.0] * 5
    assert float(defect(u, exact)[0].max()) < 1e-13


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("kind", ["smooth", "noise", "shift", "zero"])
def test_bounds_the_error_of_any_proposal(kind, size):
    """20 samples each, from resolved to hopeless; the bound is sharp where the proposal and not time decides."""
    equation, rate = burgers(48)
    u = states(48, 20)
    exact = evolve(equation, u, 0.1, tolerance=1e-11).value
    other = {
        "smooth": states(48, 20).flip(0),
        "noise": torch.randn(u.shape, generator=torch.manual_seed(2), dtype=torch.float64),
        "shift": exact.roll(1, -1) - exact,
        "zero": -exact,
    }[kind]
    bound, _ = MildDefect(equation, 0.1, rate)(u, exact + size * other)
    error = L2(DOMAIN)(size * other)
    assert bool((bound >= error * (1 - 1e-9)).all())
    if kind == "smooth" and size == 1e-2:
        assert float((bound / error).median()) < 1.1


def test_for_the_solution_itself_it_is_of_fifth_order_in_the_window():
    equation, rate = burgers(48)
    u, values = states(48, 4, alpha=6.0), []
    for interval in (0.2, 0.1, 0.05):
        exact = evolve(equation, u, interval, tolerance=1e-12).value
        values.append(float(MildDefect(equation, interval, rate)(u, exact)[0].max()))
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(values)]
    assert all(4.5 < order < 6.0 for order in orders), orders


def test_growth_bounds_how_far_two_solutions_part():
    equation, rate = burgers(48, viscosity=0.02)
    u = states(48, 10)
    for size in (1e-6, 1e-2, 0.3):
        v = u + size * states(48, 10).flip(0)
        ends = [evolve(equation, w, 0.1, tolerance=1e-10).value for w in (u, v)]
        growth = MildDefect(equation, 0.1, rate)(v, ends[1])[1]
        assert bool((L2(DOMAIN)(ends[0] - ends[1]) <= growth * L2(DOMAIN)(u - v) * (1 + 1e-6)).all())


def test_numbers_that_overflow_are_no_small_defect():
    equation, rate = burgers(16)
    u = states(16, 2)
    bound, _ = MildDefect(equation, 0.1, rate)(u, 1e200 * u)
    assert not bool((bound < 1e100).any())
