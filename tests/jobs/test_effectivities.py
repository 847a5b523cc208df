"""Bounds are measured against true errors for every problem that has one."""

import pytest
import torch

from references.dense import distance
from vcycle.data import Fields
from vcycle.jobs.effectivities import bounds
from vcycle.jobs.nested_error import halvings, nested_error
from vcycle.problems import (
    AnisotropicDarcy,
    Burgers,
    Darcy,
    Elasticity,
    MinimalSurface,
    PLaplacian,
    SemilinearElliptic,
    Stokes,
)
from vcycle.spaces import Domain
from vcycle.surrogate import Surrogate


def surrogate(problem, network):
    return Surrogate(network, problem.domain, problem.input_names, problem.output_names, problem=problem)


def measured(problem, shape=(12, 12), samples=2, factor=1.1):
    inputs = problem.sample(shape, 0, range(samples))
    u = problem.solve(inputs).value
    return bounds(surrogate(problem, lambda x: factor * problem.solve(x).value), Fields(inputs, u), 0)


@pytest.mark.parametrize("problem", [PLaplacian(), PLaplacian(p=1.5), SemilinearElliptic(), MinimalSurface()])
def test_minima_of_energies_have_one_sharp_bound(problem):
    (found,) = measured(problem)
    assert (found.form, found.measure, found.violations, len(found.bound)) == ("discrete", "energy distance", 0, 2)
    assert 1 - 1e-4 <= float(found.ratio.min()) <= float(found.ratio.max()) < 1.05
    assert float(found.slack.max()) < 2e-4
    assert found.to_dict()["measure"] == "energy distance"


def test_the_energy_distance_of_a_quadratic_energy_is_the_relative_error():
    (found,) = measured(PLaplacian(p=2.0), factor=1.25)
    torch.testing.assert_close(found.error / found.size, torch.full((2,), 0.25).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("problem", "measure", "largest"),
    [
        (AnisotropicDarcy(), "energy norm", 2.0),
        (Elasticity(), "energy norm", 2.0),
        (Elasticity(force="traction"), "energy norm", 2.0),
        (Stokes(), "gradient norm", 5.0),
    ],
)
def test_tensors_displacements_and_flows_have_the_continuum_form(problem, measure, largest):
    (found,) = measured(problem)
    assert (found.form, found.measure, found.kind, found.violations) == ("continuum", measure, "guaranteed", 0)
    assert float(found.slack.max()) < 0.5
    assert float((found.ratio * (1 + found.slack)).min()) >= 1
    assert float(found.ratio.max()) < largest


def test_diffusion_has_both_forms_and_others_none():
    assert [found.form for found in measured(Darcy())] == ["discrete", "continuum"]
    problem = Burgers()
    x = problem.sample((16,), 0, range(1))
    assert bounds(surrogate(problem, lambda x: x), Fields(x, x), 0) == ()
    assert bounds(Surrogate(lambda x: x, problem.domain, ("u",), ("v",)), Fields(x, x), 0) == ()


def test_answers_that_are_not_finite_are_no_violations():
    for problem in (PLaplacian(), Stokes()):
        (found,) = measured(problem, factor=torch.nan)
        assert found.violations == 0 and bool(found.bound.isinf().all())


@pytest.mark.parametrize("amount", [0.0, 0.3])
def test_the_true_error_of_tensors_is_enclosed(amount):
    """Against finite elements on cells eight times finer."""
    problem = AnisotropicDarcy(source="gaussian")
    x = problem.sample((6, 6), 0, range(2))
    v = (1 + amount) * problem.solve(x).value
    prediction = surrogate(problem, lambda _: v).predict(x)
    A, f = problem.tensor(x)
    exact, _ = distance(prediction.field, A, 0 * f, f, problem.domain, 3)
    truth = nested_error(problem, x, prediction.field)
    assert bool((truth.low <= exact * 1.01).all()) and bool((exact <= truth.high).all())
    assert bool((truth.high < 1.4 * truth.low).all())


def test_grids_without_room_for_a_finer_one_are_not_measured():
    assert [halvings(Elasticity(), (n, n)) for n in (16, 64, 128)] == [2, 1, 0]
    assert [halvings(Stokes(), (n, n)) for n in (64, 256, 512)] == [2, 1, 0]
    assert nested_error(Elasticity(), torch.ones(1, 1, 128, 128), torch.zeros(1, 2, 257, 257)) is None
    assert halvings(AnisotropicDarcy(Domain.unit(3)), (32, 32, 32)) == 1
