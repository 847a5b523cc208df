"""Displacements and flows are predicted with a guaranteed bound where a theorem covers the problem, else with none."""

import pytest
import torch

from references.there import assert_there
from vcycle.problems import (
    AnisotropicDarcy,
    Darcy,
    Elasticity,
    ImplicitHeat,
    MinimalSurface,
    PLaplacian,
    Poisson,
    SemilinearElliptic,
    Stokes,
)
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate
from vcycle.surrogate.guarantee import guarantee

BOUNDED = [
    Darcy(),
    ImplicitHeat(),
    AnisotropicDarcy(),
    Elasticity(),
    Elasticity(force="traction"),
    Elasticity(Domain.unit(3)),
    Stokes(),
    PLaplacian(),
    MinimalSurface(),
    SemilinearElliptic(),
]


def surrogate(problem, network):
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


@pytest.mark.parametrize(
    "problem",
    [
        Elasticity(),
        Elasticity(force="traction"),
        Elasticity(force="gaussian", domain=Domain.unit(2)),
        Elasticity(Domain.unit(3)),
        Stokes(),
    ],
)
def test_the_bound_of_the_solver_is_small_and_that_of_zero_is_larger_than_the_solution(problem):
    inputs = problem.sample((24, 24) if problem.domain.dimension == 2 else (6, 6, 6), 0, range(2))
    solver = surrogate(problem, lambda x: problem.solve(x).value).predict(inputs)
    zero = surrogate(problem, lambda x: 0 * problem.solve(x).value).predict(inputs)
    assert solver.kind == zero.kind == "guaranteed"
    assert solver.form == zero.form == "continuum"
    assert bool((solver.relative < (0.5 if problem.domain.dimension == 2 else 0.8)).all()), solver.relative
    # The norm of u is at most that of zero's error, so that its bound is at least as large as |||v||| - bound of v.
    assert bool((zero.bound > solver.bound).all())
    broken = surrogate(problem, lambda x: torch.nan * problem.solve(x).value).predict(inputs)
    assert bool(broken.bound.isinf().all())


@pytest.mark.parametrize(
    "problem",
    [
        Elasticity(domain=Domain.unit(2, ["dirichlet", "periodic"])),
        Elasticity(domain=Domain.unit(3, [("dirichlet", "neumann"), "neumann", "neumann"]), force="traction"),
        Stokes(drive="lid"),
        Stokes(Domain.unit(3)),
    ],
)
def test_claims_nothing_where_no_theorem_covers_the_problem(problem):
    grid = (6,) * problem.domain.dimension
    channels = len(problem.output_names)
    inputs = problem.sample(grid, 0, range(1))
    prediction = surrogate(problem, lambda x: torch.zeros(1, channels, *grid)).predict(inputs)
    assert prediction.kind == "none"
    assert prediction.bound is None


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("problem", BOUNDED)
def test_nothing_is_said_of_samples_that_are_not_finite(problem):
    x = problem.sample((6,) * problem.domain.dimension, 0, range(3))
    v = problem.solve(x).value.clone()
    v[1].flatten()[5], v[2].flatten()[3] = torch.nan, torch.inf
    given = guarantee(problem, x, v, "discrete", 0)
    assert given.bound.isinf().tolist() == given.relative.isinf().tolist() == [False, True, True]


@pytest.mark.parametrize("form", ["discrete", "continuum"])
@pytest.mark.parametrize(
    "problem", [*BOUNDED, Poisson(Domain([1.0, 2.0], ["periodic", "neumann"]), source="two_phase")]
)
def test_the_bound_lies_where_the_answer_does(problem, form):
    x = problem.sample((6,) * problem.domain.dimension, 0, range(2))
    v = 1.1 * problem.solve(x).value
    assert_there(lambda x, v: guarantee(problem, x, v, form, 1), x, v)
