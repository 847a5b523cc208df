"""Steps in time stay on the device: what a scheme needs is made there once, however many steps it takes."""

from dataclasses import replace

import pytest

from problems.test_problems import quick
from references.some_gpu import some_gpu
from references.there import Copies
from vcycle.problems import (
    Acoustics,
    AllenCahn,
    Burgers,
    Cavity,
    Cylinder,
    Euler,
    Evolution,
    GrayScott,
    LargeEddy,
    NavierStokes,
    ShallowWater,
    Tube,
)
from vcycle.problems.method_of_lines import MethodOfLines
from vcycle.solvers.evolve import snapshots_of
from vcycle.solvers.exponential import ETDRK4
from vcycle.spaces import Domain

ROOM = Domain([1.0, 2.0], [("neumann", "dirichlet"), "periodic"])
WALLS = Domain([1.0, 2.0], ["neumann", "periodic"])
EVOLUTIONS = [Burgers(), NavierStokes(), LargeEddy(), AllenCahn(ROOM), GrayScott(WALLS)]
FLOWS = [Euler(WALLS), ShallowWater(), Cavity(), Tube(), Cylinder()]


@pytest.mark.parametrize("problem", EVOLUTIONS, ids=lambda p: p.name)
def test_exponential_steps(problem: Evolution):
    u, counts = problem.sample((16,) * problem.domain.dimension, 0, range(2)), []
    with some_gpu() as gpu:
        there = u.to(gpu)
        for steps in (2, 2, 6):
            with Copies() as copies:
                equation = problem.equation_on(tuple(u.shape[2:]), gpu)
                assert snapshots_of(ETDRK4(equation, 1e-3), there, steps, 1).device == gpu
            counts.append(copies.count)
    assert counts[0] > 0 and counts[1] == counts[2]  # the first time constants are carried


@pytest.mark.parametrize("problem", FLOWS, ids=lambda p: p.name)
def test_steps_of_flows(problem: MethodOfLines):
    problem, counts = quick(problem), []
    x = problem.sample((16, 16), 0, range(2))
    with some_gpu() as gpu:
        for share in (0.1, 0.1, 0.3):
            with Copies() as copies:
                assert replace(problem, time=share * problem.time).march(x.to(gpu), 0).device == gpu
            counts.append(copies.count)
    assert counts[0] > 0 and counts[1] == counts[2]  # the first time constants are carried


def test_steps_of_sound():
    problem, counts = Acoustics(ROOM, time=0.1), []
    x = problem.sample((16, 16), 0, range(2))
    with some_gpu() as gpu:
        for snapshots in (1, 1, 3):
            room, source = problem.room((16, 16)), problem.source(x.to(gpu))
            with Copies() as copies:
                assert room.listen(source, 0.1, snapshots).device == gpu
            counts.append(copies.count)
    assert counts[0] > 0 and counts[1] == counts[2]  # the first time constants are carried
