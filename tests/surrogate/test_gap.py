"""Minima of convex energies are predicted with a guaranteed bound of their energy distance."""

import pytest
import torch

from vcycle.hybrid.bregman import energy_distance
from vcycle.problems import MinimalSurface, PLaplacian, SemilinearElliptic
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate

CASES = [
    (PLaplacian(), (12, 12)),
    (PLaplacian(Domain.unit(1), p=1.5), (24,)),
    (SemilinearElliptic(Domain.unit(3)), (5, 5, 5)),
    (MinimalSurface(), (10, 14)),
]


def surrogate(problem, network):
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


@pytest.mark.parametrize(("problem", "shape"), CASES, ids=lambda x: getattr(x, "name", None))
def test_predictions_have_the_discrete_bound(problem, shape):
    inputs = problem.sample(shape, 0, range(3))
    u = problem.solve(inputs, 1e-13).value
    v = 1.03 * u
    E = problem.discrete(inputs)
    for tighten in (0, 1):
        prediction = surrogate(problem, lambda x: v).predict(inputs, form="continuum", tighten=tighten)
        assert (prediction.kind, prediction.form, prediction.measure) == ("guaranteed", "discrete", "energy distance")
        true = energy_distance(E, v, u)
        assert bool((prediction.bound >= true * (1 - 1e-4)).all())
        assert bool((prediction.bound <= 1.02 * true).all())
        assert torch.equal(prediction.field, v)
        size = (2 * (E.value(u) - E.cell * (E.a * problem.density(0 * u)).flatten(1).sum(1)).abs()).sqrt()
        assert bool((prediction.relative >= true / size * (1 - 1e-4)).all())
        assert bool((prediction.relative <= 1.1 * true / size).all())


def test_nothing_is_claimed_of_answers_that_are_not_finite():
    problem = SemilinearElliptic()
    inputs = problem.sample((8, 8), 0, range(2))
    broken = surrogate(problem, lambda x: torch.nan * x[:, :1]).predict(inputs)
    assert bool(broken.bound.isinf().all()) and bool(broken.relative.isinf().all())
