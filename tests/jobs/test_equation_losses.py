"""What the losses without labels measure."""

import pytest
import torch

from vcycle.jobs.equation_losses import EQUATION_LOSSES, dual_residual, preconditioned_residual, ritz
from vcycle.problems import Darcy, HighContrast, TwoPhase
from vcycle.spaces import H1, Domain
from vcycle.training import Batch

PROBLEMS = {
    "contrast 4": Darcy(),
    "contrast 1e4": Darcy(prior=TwoPhase(1.0, 1e4)),
    "channels": Darcy(prior=HighContrast(1e6)),
    "periodic": Darcy(Domain.unit(2, "periodic"), source="gaussian"),
    "three dimensions": Darcy(Domain.unit(3)),
}


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


@pytest.fixture
def solved(problem):
    x = problem.sample((16,) * problem.domain.dimension, 0, range(4))
    return x, problem.solve(x, tolerance=1e-12).value


@pytest.mark.parametrize("name", EQUATION_LOSSES)
def test_none_is_smaller_than_at_the_solution_and_its_gradient_vanishes_there(name, problem, solved):
    x, u = solved
    loss, batch = EQUATION_LOSSES[name](problem), Batch(x)
    noise = u.std() * torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for size in (1e-3, 0.1, 10.0):
        assert (loss(u + size * noise, batch) > loss(u, batch)).all()


def test_ritz_energy_is_the_square_of_the_energy_error_but_for_a_constant(problem, solved):
    x, u = solved
    norm, loss, batch = problem.energy_norm(x), ritz(problem), Batch(x)
    v = u * (1 + 0.1 * torch.rand(u.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    above = (loss(v, batch) - loss(u, batch)) / -loss(u, batch)
    torch.testing.assert_close(above, (norm(v - u) / norm(u)).square(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("seed", range(3))
def test_the_dual_residual_is_the_energy_error_up_to_the_quality_of_the_cycle(problem, solved, seed):
    x, u = solved
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    norm = problem.energy_norm(x)
    for v in (torch.zeros_like(u), u + u.std() * noise, u * (1 + 0.1 * noise)):
        ratio = dual_residual(problem)(v, Batch(x)) / norm.relative(v, u)
        assert (ratio > 0.5).all() and (ratio < 2).all()


def test_the_preconditioned_residual_is_the_error_in_h1_up_to_what_the_cycle_leaves(problem, solved):
    x, u = solved
    noise = torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norm, loss = H1(problem.domain), preconditioned_residual(problem)
    for v in (torch.zeros_like(u), u + u.std() * noise, u * (1 + 0.1 * noise)):
        ratio = loss(v, Batch(x)) / norm.relative(v, u)
        assert (ratio > 0.9).all() and (ratio < 1.1).all()


def test_the_gradient_of_the_dual_residual_is_that_of_differences(problem, solved):
    x, u = solved
    random = torch.Generator().manual_seed(1)
    v, w = (torch.randn(u.shape, generator=random, dtype=torch.float64) for _ in range(2))
    loss, batch = dual_residual(problem), Batch(x)
    v.requires_grad_()
    (slope,) = torch.autograd.grad(loss(v, batch).sum(), v)
    h = 1e-5
    difference = (loss(v.detach() + h * w, batch) - loss(v.detach() - h * w, batch)).sum() / (2 * h)
    assert float((slope * w).sum()) == pytest.approx(float(difference), rel=1e-5)
