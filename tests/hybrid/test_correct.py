import pytest
import torch

from references.cases import BOUNDARIES, PRIORS, domain
from vcycle.hybrid import solve_to_tolerance
from vcycle.problems import Darcy
from vcycle.spaces import Domain


def proposals(u):
    """What a network may return: nearly right, zero, huge, not a number, noise, the opposite."""
    return torch.stack(
        [
            1.01 * u[0],
            torch.zeros_like(u[1]),
            torch.full_like(u[2], 1e300),
            torch.full_like(u[3], torch.nan),
            torch.randn_like(u[4]),
            -u[5],
        ]
    )


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_tolerance_is_met_whatever_was_proposed(dimension, boundary, prior):
    D = domain(dimension, boundary)
    P = Darcy(D, PRIORS[prior], "gaussian" if D.floating else "constant")
    inputs = P.sample(((40,), (16, 14), (6, 8, 5))[dimension - 1], 2, range(6))
    a, f = P.fields(inputs)
    u = P.solve(inputs, 1e-13).value
    tolerance = 1e-6
    result = solve_to_tolerance(proposals(u), a, f, D, tolerance=tolerance)
    energy = P.energy_norm(inputs)
    assert bool(result.verified.all()), result.message
    assert bool((result.error <= tolerance).all())
    assert bool((energy(result.value - u) <= tolerance * energy(u)).all())


def test_a_good_proposal_saves_iterations_and_none_is_zero():
    a = Darcy().sample((32, 32), 0, range(4))
    u = Darcy().solve(a, 1e-12).value
    without = solve_to_tolerance(None, a, tolerance=1e-8)
    near = solve_to_tolerance(u + 1e-4 * torch.randn_like(u) * u.std(), a, tolerance=1e-8)
    assert near.iterations < without.iterations
    assert solve_to_tolerance(torch.zeros_like(a), a, tolerance=1e-8).iterations == without.iterations


def test_what_cannot_be_verified_is_said():
    a = Darcy(prior=PRIORS["contrast 1e6"]).sample((32, 32), 0, range(2))
    impossible = solve_to_tolerance(None, a, tolerance=1e-30)
    assert not bool(impossible.verified.any())
    assert impossible.message.startswith("NOT verified: 2 of 2")
    short = solve_to_tolerance(None, a, tolerance=1e-8, most=2)
    assert not bool(short.verified.all())
    assert short.iterations == 2
    assert short.message.endswith("ask for a looser tolerance")


def test_numbers_that_overflow_are_no_matter_of_the_tolerance():
    a = torch.tensor([1.0, 1e300], dtype=torch.float64).view(2, 1, 1, 1).expand(2, 1, 8, 8)
    found = solve_to_tolerance(None, a, tolerance=1e-8)
    assert not bool(found.verified.all())
    assert found.message.endswith("numbers overflow, scale their inputs")


def test_zero_source_has_the_solution_zero():
    result = solve_to_tolerance(torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8), 0.0, Domain.unit(2))
    assert bool(result.verified.all())
    assert float(result.value.abs().max()) < 1e-12
