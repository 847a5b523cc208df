"""What holds for all evolutions: order four in time, and what each of them keeps or loses."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from vcycle.problems import (
    PROBLEMS,
    AdvectionDiffusion,
    AllenCahn,
    Burgers,
    CahnHilliard,
    Evolution,
    FisherKPP,
    GrayScott,
    Heat,
    KdV,
    KuramotoSivashinsky,
    LargeEddy,
    NavierStokes,
    SwiftHohenberg,
    Wave,
)
from vcycle.solvers import ETDRK4
from vcycle.solvers.evolve import snapshots_of
from vcycle.spaces import Domain

LINEAR = (AdvectionDiffusion, Heat, Wave)
# Smooth initial states, and times short enough that 16 steps resolve the fastest mode.
NONLINEAR = [
    (Burgers(alpha=4.0), 0.1),
    (Burgers(Domain([1.0, 1.0], "periodic"), alpha=4.0), 0.1),
    (NavierStokes(alpha=4.0), 2.0),
    (AllenCahn(alpha=4.0), 0.5),
    (AllenCahn(Domain.unit(2, ["neumann", "dirichlet"]), alpha=4.0), 0.5),
    (FisherKPP(alpha=4.0), 1.0),
    (KdV(), 0.1),
    (KuramotoSivashinsky(), 0.1),
    (KuramotoSivashinsky(form="combustion"), 0.1),
    (CahnHilliard(), 0.002),
    (SwiftHohenberg(), 2.0),
    (GrayScott(), 10.0),
    (LargeEddy(), 0.5),
]


def label(value) -> str:
    return f"{value.name}-{value.domain.dimension}d" if isinstance(value, Evolution) else ""


def states(problem: Evolution, n: int = 24) -> torch.Tensor:
    return problem.sample((n,) * problem.domain.dimension, 0, range(2))


def test_every_nonlinear_evolution_is_examined():
    kinds = {kind for kind in PROBLEMS.values() if issubclass(kind, Evolution)}
    assert {type(problem) for problem, _ in NONLINEAR} == kinds - set(LINEAR)
    assert {type(law.problem) for law in LAWS} == kinds


@pytest.mark.parametrize(("problem", "time"), NONLINEAR, ids=label)
def test_order_four_in_time(problem, time):
    """Halving the step divides the change by 16."""
    u = states(problem)[:1]
    equation = problem.equation_on(tuple(u.shape[2:]))
    a, b, c = (snapshots_of(ETDRK4(equation, time / steps), u, steps, 1) for steps in (16, 32, 64))
    assert math.log2(float((a - b).norm() / (b - c).norm())) == pytest.approx(4.0, abs=0.3)


def mean(problem, u):
    return u.mean(tuple(range(2, u.ndim)))


def square(problem, u):
    return u.square().flatten(1).mean(1)


def energy(problem, u):
    return problem.energy(u)


def height(problem, u):
    return u.abs().flatten(1).amax(1)


def space_left(problem, u):
    return (1 - u).flatten(1).amax(1)


def both(problem, u):
    return u.sum(1).flatten(1).mean(1)


@dataclass(frozen=True)
class Law:
    """A functional of the states and whether time keeps or lowers it."""

    problem: Evolution
    functional: Callable[[Evolution, torch.Tensor], torch.Tensor]
    kept: bool
    # relative, of what is kept: the error in time of the solver, for what the discretisation keeps exactly rounding
    within: float = 1e-12


LAWS = [
    Law(AdvectionDiffusion(diffusivity=0.0), square, kept=True),
    Law(AdvectionDiffusion(), mean, kept=True),
    Law(AdvectionDiffusion(), square, kept=False),
    Law(Heat(Domain.unit(2, "neumann")), mean, kept=True),
    Law(Heat(), square, kept=False),
    Law(Wave(impulse=1.0), energy, kept=True),
    Law(Wave(Domain.unit(2, ["dirichlet", ("neumann", "dirichlet")]), impulse=1.0), energy, kept=True),
    Law(Burgers(drift=1.0), mean, kept=True),
    Law(Burgers(), square, kept=False),
    Law(Burgers(Domain([1.0, 1.0], "periodic"), time=0.2), height, kept=False),
    Law(NavierStokes(time=1.0), mean, kept=True),
    Law(NavierStokes(time=1.0, forcing="none"), square, kept=False),
    Law(AllenCahn(time=1.0), energy, kept=False),
    Law(FisherKPP(), space_left, kept=False),
    Law(KdV(time=0.2), mean, kept=True),
    Law(KdV(time=0.2), square, kept=True, within=1e-6),
    Law(KuramotoSivashinsky(time=2.0), mean, kept=True),
    Law(KuramotoSivashinsky(time=2.0, form="combustion"), mean, kept=True),
    Law(CahnHilliard(mean=0.2, time=0.004), mean, kept=True),
    Law(CahnHilliard(Domain.unit(2, "neumann"), mean=0.2, time=0.004), mean, kept=True),
    Law(CahnHilliard(mean=0.2, time=0.004), energy, kept=False),
    Law(SwiftHohenberg(quadratic=1.0, time=5.0), energy, kept=False),
    Law(GrayScott(feed=0.0, kill=0.0, time=20.0), both, kept=True),
    Law(LargeEddy(), mean, kept=True),
    Law(LargeEddy(), square, kept=False),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.problem.name}-{law.functional.__name__}")
def test_laws(law):
    u = states(law.problem)
    before = law.functional(law.problem, u)
    after = law.functional(law.problem, law.problem.solve(u).value)
    if law.kept:
        assert float((after - before).abs().max()) <= law.within * max(1.0, float(before.abs().max()))
    else:
        assert bool((after < before).all())
