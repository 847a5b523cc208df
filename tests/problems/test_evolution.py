"""Snapshots and histories of one trajectory fit together, whatever the equation."""

from dataclasses import replace

import pytest
import torch

from vcycle.problems import PROBLEMS, Burgers, Evolution, FisherKPP
from vcycle.problems.vorticity import time_derivative
from vcycle.solvers import FourierGrid
from vcycle.spaces import Domain

P = Burgers(time=0.4, accuracy=1e-7)


@pytest.mark.parametrize("kind", [kind for kind in PROBLEMS.values() if issubclass(kind, Evolution)])
def test_states_satisfy_the_differential_equation(kind):
    """u_t by differences of the states against L u + N(u)."""
    problem = kind(time=0.004, snapshots=4, accuracy=1e-9, tau=1.0)
    u = problem.sample((24,) * problem.domain.dimension, 0, [0])
    states = torch.cat([u, problem.solve(u).value], 1)
    rate = problem.evolution(FourierGrid(problem.domain, tuple(u.shape[2:]))).rate(states[:, 2:3])
    found = time_derivative(states, problem.interval)[:, 2:3]
    assert float((found - rate).norm() / rate.norm()) < 1e-3


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
