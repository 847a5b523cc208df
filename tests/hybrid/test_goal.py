"""Quantities of interest: the interval holds them for every dual, and is as short as the theorem says."""

import itertools
import math

import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from references.dense import elements, finer, network, solve, solve_network
from vcycle.hybrid import energy_bound, goal, outflow
from vcycle.problems.assembled import solve_assembled
from vcycle.spaces import Domain, Energy


def random(seed: int, *shape: int):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def solution(a, c, f, D):
    return solve_network(*network(a, c, D), f.flatten(1) * (math.prod(D.lengths) / f[0].numel())).view_as(f)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("c", [0.0, 30.0, "somewhere"])
@pytest.mark.parametrize("prior", ["two_phase", "contrast 1e6"])
def test_the_interval_holds_the_discrete_quantity_and_its_radius_is_half_the_product_of_the_bounds(boundary, c, prior):
    D, shape = domain(2, boundary), (6, 5)
    a, f, g = PRIORS[prior].sample(D, shape, 1, range(6)), random(1, 6, 1, *shape), random(2, 6, 1, *shape)
    reaction = 50 * random(3, 6, 1, *shape).clamp_min(0) if c == "somewhere" else torch.full_like(a, c)
    if D.floating and c == 0:
        f, g = (x - x.mean((2, 3), keepdim=True) for x in (f, g))
    volume = math.prod(D.lengths) / 30
    u, z = solution(a, reaction, f, D), solution(a, reaction, g, D)
    exact, spread = volume * (g * u).sum((1, 2, 3)), u.abs().amax((1, 2, 3), keepdim=True)
    some_v = [0 * u, u + 0.1 * spread * random(4, *u.shape), u]
    some_w = [0 * z, z * (1 + 0.1 * random(5, *z.shape)), random(6, *z.shape), z]
    v, w = (torch.cat(x) for x in zip(*itertools.product(some_v, some_w), strict=True))
    a, f, g, reaction, exact = (x.repeat(12, *[1] * (x.ndim - 1)) for x in (a, f, g, reaction, exact))
    energy = Energy(D, a, reaction)
    for tighten in (0, 2):
        found = goal(v, w, a, f, g, D, reaction=reaction, tighten=tighten)
        one, other = (energy_bound(x, a, y, D, reaction=reaction, tighten=tighten).value for x, y in ((v, f), (w, g)))
        size = exact.abs() + found.value.abs() + one * other
        assert bool(((found.low <= exact + 1e-9 * size) & (exact - 1e-9 * size <= found.high)).all())
        # Rounding is counted whole, and relative to the terms that cancel.
        assert bool((found.radius <= one * other * (1 / 2 + 1e-9) + 1e-9 * energy(v) * energy(w) + 1e-9 * size).all())


@pytest.mark.parametrize("c", [0.0, 30.0, 3e4])
def test_the_interval_holds_the_mean_of_the_solution_of_the_pde_over_a_box(c):
    """Against elements on cells cut into 6 x 6, whose error is less than their distance from those cut into 3 x 3."""
    D, shape = Domain([1.0, 2.0], ["dirichlet", ("neumann", "dirichlet")]), (4, 4)
    a, f = PRIORS["two_phase"].sample(D, shape, 1, range(4)), torch.ones(4, 1, *shape, dtype=torch.float64)
    g = torch.zeros_like(f)
    g[:, :, 1:3, 1:3] = 1 / 0.5
    reaction = torch.full_like(a, c)
    quantities = []
    for cut in (3, 6):
        matrix, spread, free = elements(*(finer(x, D, cut) for x in (a, reaction)), D)
        volume = 2 / 16 / cut**2
        load, weight = (volume * finer(x, D, cut).flatten(1) @ spread.T for x in (f, g))
        x = solve(matrix[:, free][:, :, free], load[:, free], singular=False)
        quantities.append((weight[:, free] * x).sum(1))
    error = (quantities[1] - quantities[0]).abs()  # the error of the finer one is less than that of the coarser
    u, z = (solve_assembled(a, x, D, reaction) for x in (f, g))
    for v, w in ((u, z), (0 * u, 0 * z), (u, 0 * z), (u + 0.1 * random(4, *u.shape) * u, z)):
        found = goal(v, w, a, f, g, D, reaction=reaction, form="continuum")
        assert bool((found.low <= quantities[1] + error).all())
        assert bool((quantities[1] - error <= found.high).all())
    assert bool((goal(u, z, a, f, g, D, reaction=reaction, form="continuum").radius < 0.3 * quantities[1]).all())


@pytest.mark.parametrize("boundary", ["dirichlet", "mixed", "walls"])
def test_all_that_is_produced_flows_out_of_the_dirichlet_faces(boundary):
    D, shape = domain(2, boundary), (6, 5)
    a, f = PRIORS["two_phase"].sample(D, shape, 1, range(2)), random(1, 2, 1, *shape)
    faces = [(i, end) for i in range(2) for end in (0, -1) if D.boundary[i][end] == "dirichlet"]
    g = torch.stack([outflow(a, D, axis, end) for axis, end in faces]).sum(0)
    u, z = solve_assembled(a, f, D), torch.ones_like(f)
    found = goal(u, z, a, f, g, D)
    torch.testing.assert_close(found.value, math.prod(D.lengths) / 30 * f.sum((1, 2, 3)))
    assert bool((found.radius < 1e-8).all())


def test_what_does_not_fit_is_refused_with_a_sentence():
    one = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match="dual approximation has the shape"):
        goal(one, one[..., :3], one, 1.0, 1.0)
    with pytest.raises(ValueError, match="subtract its mean"):
        goal(one, one, one, 0.0, 1.0, Domain.unit(2, "periodic"))
    with pytest.raises(ValueError, match="through a neumann face"):
        outflow(one, Domain.unit(2, "neumann"), 0, 0)
