"""Bounds, corrections and scores lie where their data lie, with the numbers of the processor up to rounding."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from references.there import assert_there
from vcycle.hybrid import (
    ResidualNorm,
    cell_data,
    conjugate_directions,
    duality_gap,
    elasticity_bound,
    energy_bound,
    goal,
    outflow,
    plug_and_play,
    refine,
    solve_to_tolerance,
    stokes_bound,
    verified_by_residual,
)
from vcycle.hybrid.bregman import energy_distance
from vcycle.hybrid.conformal import p_value, quantile
from vcycle.hybrid.input_distance import InputDistance
from vcycle.hybrid.scores import band_scores, channel_scale, norm_scores, residual_scale, spread_scale, within
from vcycle.hybrid.uniform_convexity import gradient_bound
from vcycle.operators import geometric_multigrid
from vcycle.problems import Darcy, MinimalSurface, PLaplacian, SemilinearElliptic
from vcycle.spaces import Domain, HMinus1

WALLS = Domain([1.0, 2.0], [("dirichlet", "neumann"), "dirichlet"])
ROUND = Domain([1.0, 2.0], ["periodic", "neumann"])
CUBE, LONG = Domain.unit(3, ["dirichlet", "neumann", "periodic"]), Domain.unit(1)
GRIDS = {WALLS: (12, 9), ROUND: (8, 12), CUBE: (6, 5, 4), LONG: (200,)}


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def equation(domain: Domain) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """v, a, f of mean zero, c."""
    shape = (2, 1, *GRIDS[domain])
    f = noise(2, *shape)
    return noise(0, *shape), noise(1, *shape).exp(), f - f.mean(tuple(range(1, f.ndim)), keepdim=True), noise(3, *shape)


@pytest.mark.parametrize("tighten", [0, 3])
@pytest.mark.parametrize("reacts", ["nowhere", "evenly", "somewhere"])
@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize("domain", GRIDS, ids=str)
def test_energy_bounds(domain: Domain, form: Any, reacts: str, tighten: int):
    v, a, f, c = equation(domain)
    reaction = {"nowhere": None, "evenly": 3.0, "somewhere": 300 * c.clamp_min(0)}[reacts]

    def bound(v: Tensor, a: Tensor, f: Tensor, reaction: Any) -> Any:
        found = energy_bound(v, a, f, domain, reaction=reaction, form=form, tighten=tighten)
        return found, found.relative

    assert_there(bound, v, a, f, reaction)


@pytest.mark.parametrize("tighten", [0, 3])
@pytest.mark.parametrize("c", [None, 30.0])
@pytest.mark.parametrize("domain", [WALLS, ROUND, CUBE], ids=str)
def test_energy_bounds_with_tensors(domain: Domain, c: float | None, tighten: int):
    (v, a, f, _), d = equation(domain), domain.dimension
    factor = noise(5, 2, d, d, *GRIDS[domain])
    A = torch.einsum("bik...,bjk...->bij...", factor, factor) + a[:, :, None] * torch.eye(d).view(d, d, *[1] * d)
    A = (A + A.transpose(1, 2)) / 2

    def bound(v: Tensor, A: Tensor, f: Tensor) -> Any:
        return energy_bound(v, A, f, domain, reaction=c, form="continuum", tighten=tighten)

    assert_there(bound, v, A, f)


def test_energy_bounds_with_oscillation():
    v, a, _, c = equation(WALLS)
    fine = noise(4, 2, 1, 36, 18)

    def bound(v: Tensor, a: Tensor, fine: Tensor, c: Tensor) -> Any:
        f, oscillation = cell_data(fine, (12, 9), WALLS)
        found = energy_bound(v, a, f, WALLS, reaction=c.abs(), oscillation=oscillation, form="continuum", tighten=1)
        return f, oscillation, found

    assert_there(bound, v, a, fine, c)


def test_energy_bounds_are_differentiable():
    v, a, f, _ = equation(WALLS)

    def slope(v: Tensor, a: Tensor, f: Tensor) -> Any:
        v = v.clone().requires_grad_()
        return torch.autograd.grad(energy_bound(v, a, f, WALLS).value.sum(), v)

    assert_there(slope, v, a, f)


@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize("domain", [WALLS, ROUND], ids=str)
def test_goals(domain: Domain, form: Any):
    v, a, f, c = equation(domain)

    def interval(v: Tensor, w: Tensor, a: Tensor, f: Tensor, c: Tensor) -> Any:
        found = goal(v, w, a, f, f.flip(2), domain, reaction=c.abs(), form=form, tighten=1)
        return found, found.low, found.high

    assert_there(interval, v, c, a, f, c)


def test_flows_out_of_faces():
    v, a, _, c = equation(WALLS)

    def interval(v: Tensor, w: Tensor, a: Tensor) -> Any:
        return goal(v, w, a, 1.0, outflow(a, WALLS, 1, -1), WALLS)

    assert_there(interval, v, c, a)


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("domain", [WALLS, ROUND, CUBE], ids=str)
def test_solutions_to_a_tolerance(domain: Domain, start: bool):
    v, a, f, _ = equation(domain)

    def solution(v: Tensor, a: Tensor, f: Tensor) -> Any:
        found = solve_to_tolerance(v if start else None, a, f, domain)
        return found.value, found.verified, found.iterations, found.error > 1e-8

    assert_there(solution, v, a, f)


def test_what_residuals_verify():
    problem = Darcy()

    def verified(a: Tensor) -> Any:
        solution = problem.solve(a)
        found = verified_by_residual(solution, problem.residual(a, solution.value), 1e-8)
        return found.value, found.verified, found.error > 1e-8

    assert_there(verified, problem.sample((16, 16), 0, range(2)))


@pytest.mark.parametrize("tighten", [0, 1])
@pytest.mark.parametrize("problem", [PLaplacian(), MinimalSurface(), SemilinearElliptic()], ids=lambda p: p.name)
def test_gaps_of_convex_energies(problem: Any, tighten: int):
    x = problem.sample((16, 16), 0, range(2))
    u = problem.solve(x).value
    v = torch.cat([u[:1] * 1.1, 0 * u[1:]])

    def gap(x: Tensor, v: Tensor, u: Tensor) -> Any:
        found, E = duality_gap(problem.discrete(x), v, tighten=tighten), problem.discrete(x)
        return (
            found.value,
            found.relative,
            energy_distance(E, v, u),
            gradient_bound(found.value.square() / 2, 1.5, v[:, 0, 0, 0].abs()),
        )

    assert_there(gap, x, v, u)


@pytest.mark.parametrize(
    ("domain", "traction"),
    [
        (Domain.unit(2, [("dirichlet", "neumann"), "neumann"]), (0.0, -1.0)),
        (Domain.unit(2), None),
        (Domain.unit(3, [("dirichlet", "neumann"), "neumann", "dirichlet"]), None),
    ],
)
def test_elastic_bounds(domain: Domain, traction: Any):
    d = domain.dimension
    shape = (6,) * d
    v, f, E = noise(0, 2, d, *shape), noise(1, 2, d, *shape), noise(2, 2, 1, *shape).exp()

    def bound(v: Tensor, E: Tensor, f: Tensor) -> Any:
        return elasticity_bound(v, E, E, f, domain, traction)

    assert_there(bound, v, E, f)


def test_bounds_of_flows():
    domain, shape = Domain([1.0, 2.0]), (8, 6)
    data = (noise(0, 2, 2, *shape), noise(1, 2, 1, *shape), noise(2, 2, 2, *shape), noise(3, 2, 1, *shape).abs())

    def bound(v: Tensor, p: Tensor, f: Tensor, oscillation: Tensor) -> Any:
        return stokes_bound(v, p, f, 0.01, domain, oscillation=oscillation)

    assert_there(bound, *data)


def test_conjugate_directions_along_a_learned_map():
    problem = Darcy()

    def directed(a: Tensor) -> Any:
        A, load = problem.system(a)
        found = conjugate_directions(A, load, lambda r: r.roll(1, 2), geometric_multigrid(A), weight=1 / A.diagonal)
        return found.solution.value, found.solution.converged, found.learned, found.turned

    assert_there(directed, problem.sample((16, 16), 0, range(2)))


def test_plug_and_play_steps():
    def found(A: Tensor, y: Tensor) -> Any:
        solution = plug_and_play(A, y, lambda x: x / 2)
        return solution.value, solution.residual, solution.converged

    assert_there(found, noise(0, 5, 8), noise(1, 3, 5))


def test_refined_networks():
    """The network lies on the device like its inputs."""
    square = Domain.unit(2, "periodic")
    functional = ResidualNorm(lambda w: w.diff(dim=1, prepend=w[:, :1]) + w, HMinus1(square, exact=True), 0.1)

    def refined(a: Tensor) -> Any:
        network = nn.Conv2d(3, 2, 1).double()
        with torch.no_grad():
            for p in network.parameters():
                p.copy_(torch.linspace(-0.3, 0.4, p.numel()).view(p.shape))
        return refine(network.to(a.device), a, functional, "weight", steps=4)

    assert_there(refined, noise(0, 2, 3, 8, 8))


@pytest.mark.parametrize("stored", [False, True], ids=["scales there", "scales here"])
def test_scores(stored: bool):
    """What a calibration has stored may lie on the processor: it goes to the fresh errors."""
    errors, fresh, spread = noise(0, 9, 2, 6, 6), noise(1, 3, 2, 6, 6), noise(2, 3, 2, 6, 6).abs()
    here = (residual_scale(errors), channel_scale(errors), noise(3, 9).abs(), InputDistance.fit(errors))

    def scores(errors: Tensor, fresh: Tensor, spread: Tensor) -> Any:
        there = (residual_scale(errors), channel_scale(errors), noise(3, 9).abs(), InputDistance.fit(errors))
        usual, channel, known, distance = here if stored else there
        wide, size = spread_scale(spread, usual), fresh.flatten(1).norm(dim=1)
        band, apart = band_scores(fresh, usual, 0.9), distance(fresh)
        parts = (band, within(fresh, wide, 0.5), band_scores(fresh, channel), norm_scores(size, 2 * size), apart)
        return wide, *parts, p_value(band, known), quantile(band, 0.7)

    assert_there(scores, errors, fresh, spread)
