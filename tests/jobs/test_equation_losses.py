"""What the losses without labels measure."""

import pytest
import torch

from references.there import assert_there
from vcycle.hybrid.bregman import energy_distance
from vcycle.jobs.equation_losses import bound, dual_residual, energy, preconditioned_residual, ritz, strong_residual
from vcycle.operators import gradient
from vcycle.problems import (
    AnisotropicDarcy,
    Darcy,
    Elasticity,
    HighContrast,
    ImplicitHeat,
    LogNormal,
    MinimalSurface,
    PLaplacian,
    SemilinearElliptic,
    Stokes,
    TwoPhase,
)
from vcycle.spaces import H1, Domain
from vcycle.surrogate.guarantee import guarantee
from vcycle.training import Batch

SCALAR = {
    "contrast 4": Darcy(),
    "contrast 1e4": Darcy(prior=TwoPhase(1.0, 1e4)),
    "channels": Darcy(prior=HighContrast(1e6)),
    "periodic": Darcy(Domain.unit(2, "periodic"), source="gaussian"),
    "three dimensions": Darcy(Domain.unit(3)),
    "reaction": ImplicitHeat(),
}
ELEMENTS = {
    "fibres": AnisotropicDarcy(),
    "beam": Elasticity(),
    "pulled": Elasticity(force="traction", prior=LogNormal(sigma=0.5)),
}
CONVEX = {
    "p = 3": PLaplacian(),
    "surface": MinimalSurface(),
    "sink": SemilinearElliptic(),
}
FLOWS = {"flow": Stokes(), "lid": Stokes(drive="lid"), "flow in space": Stokes(Domain.unit(3))}
MINIMA = SCALAR | ELEMENTS | CONVEX
LINEAR = SCALAR | ELEMENTS
PROBLEMS = MINIMA | FLOWS
ON_ENERGIES = [ritz, strong_residual, dual_residual, preconditioned_residual]
CASES = (
    [(loss, name) for loss in ON_ENERGIES for name in MINIMA]
    + [(bound, name) for name in SCALAR | CONVEX]
    + [(preconditioned_residual, name) for name in FLOWS]
)
OTHERS = [(energy, name) for name in ("channels", *ELEMENTS, *CONVEX)] + [
    (bound, n) for n in ("fibres", "beam", "flow")
]
SOLVED: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}


def solved(name):
    """Inputs and solutions, kept."""
    if name not in SOLVED:
        problem = PROBLEMS[name]
        d = problem.domain.dimension
        points = 6 if d == 3 else 16 if name in SCALAR else 12 if name in ELEMENTS else 8
        x = problem.sample((points,) * d, 0, range(2))
        SOLVED[name] = x, problem.solve(x, tolerance=1e-11).value
    return PROBLEMS[name], *SOLVED[name]


def noise(u, seed=0):
    return torch.randn(u.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def near(u):
    """Answers as networks give them: 10 % away, smoothly and roughly."""
    return [0.9 * u, u * (1 + 0.1 * u / u.abs().max()), u + 0.01 * u.std() * noise(u)]


@pytest.mark.parametrize(("loss", "name"), CASES)
def test_none_is_smaller_than_at_the_discrete_solution(loss, name):
    problem, x, u = solved(name)
    measured, batch = loss(problem), Batch(x)
    least = measured(u, batch)
    for size in (1e-2, 3.0):
        assert (measured(u + size * u.std() * noise(u), batch) > least).all()


@pytest.mark.parametrize("name", ["contrast 4", *ELEMENTS, *CONVEX])
def test_labels_in_the_energy_norm_and_the_ritz_energy_say_the_same(name):
    """(E(v) - E(u)) / (E(0) - E(u)) twice: by the loss `energy`, and from three values of `ritz`."""
    problem, x, u = solved(name)
    batch, E = Batch(x, u), problem.discrete(x)
    for v in (0 * u, *near(u)):
        at_v, at_u, at_0 = (ritz(problem)(w, batch) for w in (v, u, 0 * u))
        share = ((at_v - at_u) / (at_0 - at_u)).sqrt()
        torch.testing.assert_close(energy(problem)(v, batch), share, rtol=1e-6, atol=1e-6)
        if name in CONVEX:
            torch.testing.assert_close(E.distance(v, u), energy_distance(E, v, u), rtol=1e-3, atol=0)
        assert (-at_u > 0.8).all() and (-at_u < 1.2).all() if name != "pulled" else (at_u < at_0).all()


@pytest.mark.parametrize("name", MINIMA)
def test_the_dual_residual_is_the_energy_error_up_to_the_quality_of_the_cycle(name):
    problem, x, u = solved(name)
    batch = Batch(x, u)
    for v in [*near(u), *([0 * u, u + u.std() * noise(u)] if name in LINEAR else [])]:
        ratio = dual_residual(problem)(v, batch) / energy(problem)(v, batch)
        assert (ratio > 0.5).all() and (ratio < 2).all(), ratio


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_preconditioned_residual_is_the_error_in_h1_up_to_what_the_step_leaves(name):
    problem, x, u = solved(name)
    norm, loss = H1(problem.domain), preconditioned_residual(problem)
    for v in near(u):
        ratio = loss(v, Batch(x)) / norm.relative(v, u)
        assert (ratio > 0.5).all() and (ratio < 2).all(), ratio


@pytest.mark.parametrize("name", SCALAR)
def test_in_scalar_equations_the_step_leaves_a_tenth(name):
    problem, x, u = solved(name)
    norm, loss = H1(problem.domain), preconditioned_residual(problem)
    for v in (*near(u), 0 * u, u + u.std() * noise(u)):
        ratio = loss(v, Batch(x)) / norm.relative(v, u)
        assert (ratio > 0.9).all() and (ratio < 1.1).all(), ratio


@pytest.mark.parametrize("name", SCALAR | CONVEX)
def test_the_bound_is_above_the_energy_error_of_any_answer(name):
    problem, x, u = solved(name)
    E, one = problem.discrete(x), guarantee(problem, x, 0 * u, "discrete", 0).bound
    for v in (*near(u), 0 * u, u + u.std() * noise(u)):
        assert (bound(problem)(v, Batch(x)) * one >= E.distance(v, u) * (1 - 1e-6)).all()


@pytest.mark.parametrize("name", ["beam", "flow"])
def test_bounds_of_two_answers_are_as_far_apart_as_these(name):
    """Both bound the distance to the same solution of the PDE: M(v) + M(w) >= |||v - w|||, for the elements v and w.

    Their gradients in the middles of subcells are the means of those in the subcells, and have less energy.
    """
    problem, x, u = solved(name)
    one = guarantee(problem, x, 0 * u, "discrete", 0).bound
    for v in (*near(u), 0 * u, u + u.std() * noise(u)):
        both = (bound(problem)(v, Batch(x)) + bound(problem)(u, Batch(x))) * one
        if name == "flow":
            slopes = gradient((v - u)[:, :2], problem.domain)
            apart = (slopes.square().mean(3).flatten(1).sum(1) / u[0, 0].numel()).sqrt()
        else:
            apart = problem.discrete(x).distance(v, u)
        assert (both >= apart).all()


@pytest.mark.parametrize(("loss", "name"), [*CASES, *OTHERS])
def test_gradients_are_those_of_differences(loss, name):
    problem, x, u = solved(name)
    measured, batch = loss(problem), Batch(x, u)
    v, w = u * 1.2 + 0.1 * u.std() * noise(u, 1), u.std() * noise(u, 2)
    v.requires_grad_()
    (slope,) = torch.autograd.grad(measured(v, batch).sum(), v)
    if loss is bound and name in ELEMENTS | CONVEX:  # the flux is held
        (slope_of_energy,) = torch.autograd.grad(problem.discrete(x).value(v).sum(), v)
        given = [guarantee(problem, x, y, "discrete", 0).bound.view(-1, 1, 1, 1) for y in (v.detach(), 0 * u)]
        torch.testing.assert_close(slope, slope_of_energy / given[0] / given[1])
        return
    h = 1e-4
    difference = (measured(v.detach() + h * w, batch) - measured(v.detach() - h * w, batch)).sum() / (2 * h)
    # V-cycles of elements run in single precision.
    scale = float(slope.norm() * w.norm())
    assert float((slope * w).sum()) == pytest.approx(float(difference), abs=scale * (1e-6 if name in SCALAR else 1e-4))


@pytest.mark.parametrize(("loss", "name"), [*CASES, *OTHERS])
def test_losses_and_gradients_lie_where_the_answers_do(loss, name):
    problem, x, u = solved(name)
    v = u * 1.2 + 0.1 * u.std() * noise(u, 1)

    def measured(x, u, v):
        v = v.clone().requires_grad_()
        size = loss(problem)(v, Batch(x, u))
        return size.detach(), *torch.autograd.grad(size.sum(), v)

    assert_there(measured, x, u, v, rounding=1e-6)  # V-cycles of elements run in single precision
