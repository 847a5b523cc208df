"""Snapshots and histories of one trajectory fit together, whatever the equation."""

from dataclasses import replace

import pytest
import torch

from vcycle.problems import (
    PROBLEMS,
    AllenCahn,
    Burgers,
    CahnHilliard,
    Evolution,
    FisherKPP,
    GrayScott,
    KuramotoSivashinsky,
    LargeEddy,
    NavierStokes,
    SwiftHohenberg,
    WalledEvolution,
)
from vcycle.problems.evolution import resample
from vcycle.problems.vorticity import time_derivative
from vcycle.spaces import Domain

KINDS = [kind for kind in PROBLEMS.values() if issubclass(kind, Evolution)]
P = Burgers(time=0.4, accuracy=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_states_satisfy_the_differential_equation(kind):
    """u_t by differences of the states against L u + N(u)."""
    problem = kind(time=0.004, snapshots=4, accuracy=1e-9, tau=1.0)
    u = problem.sample((24,) * problem.domain.dimension, 0, [0])
    states = torch.cat([u, problem.solve(u).value], 1).unflatten(1, (5, -1))
    rate = problem.equation_on(tuple(u.shape[2:])).rate(states[:, 2])
    found = time_derivative(states, problem.interval)[:, 2]
    assert float((found - rate).norm() / rate.norm()) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_walls_are_handled_or_refused(kind):
    d = kind().domain.dimension
    if not issubclass(kind, WalledEvolution):
        with pytest.raises(ValueError, match="use boundary='periodic'"):
            kind(domain=Domain.unit(d))
    elif "dirichlet" not in kind.conditions:
        with pytest.raises(ValueError, match="its faces may be periodic or neumann"):
            kind(domain=Domain.unit(d))


@pytest.mark.parametrize("kind", [AllenCahn, SwiftHohenberg, GrayScott, LargeEddy, Burgers, NavierStokes, CahnHilliard])
def test_refinement_is_the_solution_on_a_finer_grid(kind):
    """Up to what the finer grid's modes beyond the coarser one's do, here nothing: both start from the coarse one."""
    coarse = kind(time=0.01, accuracy=1e-8)
    fine, d = replace(coarse, refinement=3), coarse.domain.dimension
    shape = (12,) * d
    u = resample(coarse.sample(shape, 0, [0]), coarse.domain, shape)
    on_fine = coarse.advance(resample(u, coarse.domain, (36,) * d), 0.01, 1)
    torch.testing.assert_close(fine.solve(u).value, resample(on_fine.value, coarse.domain, shape), rtol=0, atol=1e-12)


def test_states_of_several_components_come_instant_by_instant():
    problem = GrayScott(history=2, snapshots=2)
    assert problem.input_names == ("u_0", "v_0", "u_1", "v_1")
    assert problem.output_names == ("u_2", "v_2", "u_3", "v_3")
    assert Burgers(Domain.unit(3, "periodic")).input_names == ("u_0", "v_0", "w_0")


def test_warming_up_is_time_before_the_first_state():
    problem = KuramotoSivashinsky(time=1.0, accuracy=1e-8)
    u = problem.sample((32,), 0, [0])
    warm = replace(problem, warmup=1.0).sample((32,), 0, [0])
    torch.testing.assert_close(warm, problem.solve(u).value)


@pytest.mark.parametrize("options", [{"warmup": 0.1}, {"history": 2}])
def test_states_that_miss_their_accuracy_are_no_inputs(options):
    with pytest.raises(ValueError, match="no states to begin with: 1 of 1 samples missed the tolerance 1e-17"):
        Burgers(accuracy=1e-17, time=0.1, **options).sample((8,), 0, [0])


def test_the_last_snapshot_is_the_solution():
    u = P.sample((32,), 0, range(2))
    torch.testing.assert_close(replace(P, snapshots=4).solve(u).value[:, 3:], P.solve(u).value, rtol=1e-6, atol=1e-6)


def test_a_history_is_the_beginning_of_the_trajectory():
    later = replace(P, history=3, snapshots=2)
    assert later.input_names == ("u_0", "u_1", "u_2")
    assert later.output_names == ("u_3", "u_4")
    inputs = later.sample((32,), 0, range(2))
    torch.testing.assert_close(inputs[:, :1], P.sample((32,), 0, range(2)))
    whole = replace(P, time=0.8, snapshots=4).solve(inputs[:, :1]).value
    found = torch.cat([inputs[:, 1:], later.solve(inputs).value], 1)
    torch.testing.assert_close(found, whole, rtol=1e-6, atol=1e-6)


def test_a_looser_tolerance_takes_fewer_steps():
    u = P.sample((32,), 0, range(1))
    loose, strict = P.solve(u, 1e-3), P.solve(u)
    assert loose.iterations < strict.iterations
    assert loose.residual.item() <= 1e-3
    assert strict.residual.item() <= 1e-7


def test_shifted_boxes_and_single_precision_inputs():
    moved = replace(P, domain=Domain([(-3.0, -2.0)], "periodic"))
    u = P.sample((32,), 0, range(1))
    torch.testing.assert_close(moved.solve(u.float()).value, P.solve(u).value, rtol=1e-5, atol=1e-5)


def test_colonies_stay_between_nothing_and_full():
    u = FisherKPP().sample((64,), 0, range(4))
    later = FisherKPP().solve(u).value
    assert u.min() > 0 and u.max() < 1
    assert later.min() > -1e-3 and later.max() < 1 + 1e-3
    assert bool((later.mean((1, 2)) > u.mean((1, 2))).all())
