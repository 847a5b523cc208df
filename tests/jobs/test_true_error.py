"""The true error is enclosed: checked where the solution is known in closed form."""

import math

import pytest
import torch

from vcycle.hybrid import energy_bound
from vcycle.jobs.true_error import continuum_error, refinements
from vcycle.problems import Darcy, LogNormal
from vcycle.spaces import Domain


def inside(truth, exact: float, accuracy: float) -> None:
    low, value, high = truth.low.item(), truth.value.item(), truth.high.item()
    assert low <= exact * (1 + 1e-12) and exact <= high * (1 + 1e-12)
    assert low <= value <= high
    assert truth.accuracy.item() == pytest.approx(1 - low / value)
    assert truth.accuracy.item() < accuracy


def test_the_error_of_zero_is_the_energy_of_the_solution_on_an_interval():
    """-u'' = 1 on (0, 1): integral of u'^2 = 1/12."""
    truth = continuum_error(Darcy(Domain.unit(1)), torch.ones(1, 1, 16), torch.zeros(1, 1, 17).double())
    inside(truth, math.sqrt(1 / 12), 1e-4)
    assert truth.size.item() == pytest.approx(math.sqrt(1 / 12), rel=1e-4)


def test_two_materials_in_a_row():
    """-(a u')' = 1 with a = 1, then 4: the flux is c - x, c = 0.35, and the energy the integral of (c - x)^2 / a."""
    a = torch.tensor([1.0] * 8 + [4.0] * 8).view(1, 1, 16)
    c = (0.125 + 0.375 / 4) / (0.5 + 0.5 / 4)
    energy = ((c**3 + (0.5 - c) ** 3) + ((1 - c) ** 3 - (0.5 - c) ** 3) / 4) / 3
    inside(continuum_error(Darcy(Domain.unit(1)), a, torch.zeros(1, 1, 17).double()), math.sqrt(energy), 1e-4)


def test_the_torsion_of_a_square():
    """-Laplacian u = 1 on the unit square: the integral of u is 0.0351442598 (a quarter of the torsion constant)."""
    truth = continuum_error(Darcy(), torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 17, 17).double())
    inside(truth, math.sqrt(0.0351442598), 1e-3)


def test_an_error_that_is_added_is_found():
    """The multilinear interpolant of u + e has about the error e where the interpolation error is small beside it."""
    n = 32
    x = torch.linspace(0, 1, n + 1, dtype=torch.float64)
    exact, wave = x * (1 - x) / 2, 0.1 * torch.sin(math.pi * x)
    truth = continuum_error(Darcy(Domain.unit(1)), torch.ones(1, 1, n), (exact + wave)[None, None])
    assert truth.value.item() == pytest.approx(0.1 * math.pi / math.sqrt(2), rel=5e-3)


@pytest.mark.parametrize("boundary", ["dirichlet", ["periodic", ("neumann", "dirichlet")]])
def test_the_enclosure_and_the_bound_agree_on_random_coefficients(boundary):
    problem = Darcy(Domain([1.0, 2.0], boundary), prior=LogNormal())
    a = problem.sample((8, 16), 3, range(2))
    v = 0.9 * problem.solve(a).value
    bound = energy_bound(v, *problem.fields(a), problem.domain, form="continuum")
    truth = continuum_error(problem, a, bound.field)
    assert (truth.low <= bound.value).all()
    assert (bound.value < 2 * truth.high).all()
    assert (truth.accuracy < 0.05).all()


def test_a_source_without_dirichlet_faces():
    problem = Darcy(Domain.unit(2, "periodic"), source="gaussian")
    inputs = problem.sample((16, 16), 0, [1])
    truth = continuum_error(problem, inputs, torch.zeros(1, 1, 17, 17).double())
    torch.testing.assert_close(truth.value, problem.energy_norm(inputs)(problem.solve(inputs).value), rtol=0.1, atol=0)


@pytest.mark.parametrize(
    ("shape", "times"), [((16, 16), 3), ((64, 64), 3), ((128, 128), 2), ((512, 512), 1), ((16, 16, 16), 2), ((64,), 3)]
)
def test_grids_are_refined_as_far_as_memory_goes(shape, times):
    assert refinements(shape) == times
