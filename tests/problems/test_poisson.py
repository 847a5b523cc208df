"""Poisson's equation: exact discrete solutions, second order, linearity, and roughness that is damped."""

import itertools
import math

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.hybrid import energy_bound
from vcycle.problems import Poisson
from vcycle.spaces import L2, Domain, Grid


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_solutions_are_exact_and_agree_with_the_independent_solver(dimension, boundary):
    P = Poisson(domain(dimension, boundary))
    f = P.sample(((64,), (24, 20), (8, 6, 10))[dimension - 1], 5, range(3))
    u = P.solve(f).value
    assert bool((P.residual(f, u) < 1e-12).all())
    assert bool((P.verify(f, u) < 1e-9).all())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_second_order(boundary):
    """u is a product of the lowest waves that fit, so f = u times the sum of their squared wavenumbers."""
    D, errors = domain(2, boundary), []
    for n in (16, 32, 64):
        u = Poisson(D).manufactured((n, n))[2]
        size = torch.tensor(0.0, dtype=torch.float64)
        for faces, length in zip(D.boundary, D.lengths, strict=True):
            halves = {("periodic", "periodic"): 4, ("dirichlet", "dirichlet"): 2, ("neumann", "neumann"): 2}
            size = size + (halves.get(faces, 1) * math.pi / 2 / length) ** 2
        errors.append(float(L2(D).relative(Poisson(D).solve(size * u).value, u)))
    orders = [math.log2(e / finer) for e, finer in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(2.0, abs=0.05)


def test_the_torsion_of_a_square():
    """-lap u = 1 on the unit square: the integral of u is 0.0351442598."""
    u = Poisson().solve(torch.ones(1, 1, 128, 128, dtype=torch.float64)).value
    assert float(u.mean()) == pytest.approx(0.0351442598, rel=5e-4)


def test_the_map_is_linear():
    P = Poisson(Domain.unit(2, "neumann"))
    f = P.sample((16, 16), 0, range(2))
    u = P.solve(torch.cat([f, f[:1] - 3 * f[1:]])).value
    torch.testing.assert_close(u[2], u[0] - 3 * u[1])


def test_smaller_alpha_is_rougher_and_two_phase_has_two_values():
    grid = Grid(Domain.unit(2), (32, 32))
    slopes = []
    for alpha in (1.2, 1.5, 3.0):
        f = Poisson(alpha=alpha).sample(grid.shape, 0, range(8))
        slopes.append(float(f.diff(dim=2).square().mean() / f.square().mean()))
    assert slopes[0] > slopes[1] > slopes[2]
    assert set(Poisson(source="two_phase").sample((16, 16), 0, range(4)).unique().tolist()) == {-1.0, 1.0}


def test_it_has_the_guaranteed_bound():
    P = Poisson()
    f = P.sample((16, 16), 0, range(3))
    u = P.solve(f).value
    v = 0.9 * u
    bound = energy_bound(v, *P.fields(f), P.domain)
    error = P.energy_norm(f)(u - v)
    assert bool((bound.value >= error).all())
    assert bool((bound.value < 1.5 * error).all())


@pytest.mark.parametrize(
    ("dimension", "alpha"), [(1, 0.4), (2, 0.9), (3, 1.4), (2, -5.0), (2, math.nan), (2, math.inf)]
)
def test_a_source_that_is_no_function_is_refused(dimension, alpha):
    Poisson(Domain.unit(dimension))
    with pytest.raises(ValueError, match=f"needs alpha >= d / 2 = {dimension / 2:g}, .*got {alpha:g}"):
        Poisson(Domain.unit(dimension), alpha=alpha)
