"""Theorems about sound in a room: energy, order, d'Alembert's solution, what walls send back."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from vcycle.problems import Acoustics
from vcycle.solvers import Room
from vcycle.spaces import L2, Domain, Grid


def ring(room: Room, p: torch.Tensor, u: tuple[torch.Tensor, ...], dt: float, steps: int):
    """The states of free sound, (p before, u, p after) at every step."""
    faces = room.faces(dt)
    for _ in range(steps):
        u = room.accelerate(u, p, faces)
        after = room.compress(p, u, torch.zeros_like(p), dt)
        yield p, u, after
        p = after


@pytest.mark.parametrize("boundary", ["periodic", "dirichlet", "neumann", [("dirichlet", "neumann"), "periodic"]])
def test_energy_is_kept_between_walls_that_take_nothing(boundary):
    room = Room(Domain([1.0, 1.5], boundary), (12, 9), 1.3, math.inf)
    p = torch.randn(2, 1, 12, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    energies = [room.energy(*state) for state in ring(room, p, room.at_rest(2), 1.0 / room.steps(1.0), 100)]
    torch.testing.assert_close(energies[-1], energies[0], rtol=1e-12, atol=0)
    assert bool((energies[0] > 0).all())


def test_lossy_walls_only_take_energy_and_as_much_as_they_should():
    room = Room(Domain.unit(1, "neumann"), (20,), 2.0, 3.0)
    p = torch.randn(1, 1, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    dt, before, energy = 1.0 / room.steps(1.0), room.at_rest(1), None
    for p_0, u, p_1 in ring(room, p, before, dt, 50):
        now = room.energy(p_0, u, p_1)
        if energy is not None:
            mean = (u[0] + before[0])[..., [0, -1]] / 2
            taken = dt * 3.0 * 2.0 * mean.square().sum()
            assert float(now - energy + taken) == pytest.approx(0.0, abs=1e-13)
        before, energy = u, now


def traveller(n: int, domain: Domain, impedance: float, time: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A pulse that starts to the right at x = 0.3, and the grid."""
    room = Room(domain, (n,), 1.0, impedance)
    x = Grid(domain, (n,)).axis(0)
    faces = torch.linspace(0, 1, n + 1, dtype=torch.float64)
    steps = room.steps(time)
    dt = time / steps

    def pulse(x: torch.Tensor) -> torch.Tensor:
        return torch.exp(-((x - 0.3) ** 2) / (2 * 0.05**2))

    u = (pulse(faces + dt / 2)[None, None],)
    *_, (_, _, p) = ring(room, pulse(x)[None, None], u, dt, steps)
    return x, p[0, 0]


@pytest.mark.parametrize(("reflection", "sign"), [(1.0, 1.0), (0.5, 0.5), (0.0, 0.0), (-0.5, -0.5), (-1.0, -1.0)])
def test_walls_send_back_what_they_are_asked_to_with_second_order(reflection, sign):
    impedance = Acoustics(reflection=reflection).impedance
    errors = []
    for n in (100, 200):
        x, p = traveller(n, Domain.unit(1, "neumann"), impedance, 1.2)
        errors.append(float((p - sign * torch.exp(-((x - 0.5) ** 2) / (2 * 0.05**2))).abs().max()))
    assert errors[1] < 0.02
    assert math.log2(errors[0] / errors[1]) > 1.8


def test_the_sound_of_a_moving_source_converges_with_second_order():
    problem = Acoustics(width=0.15, frequency=2.0, time=0.7)
    sounds = []
    for n in (12, 36, 108):
        inputs = problem.sample((n, n), 2, range(2))
        middles = (slice(None), slice(None), *(slice(n // 24, None, n // 12),) * 2)
        sounds.append(problem.solve(inputs).value[middles])
    error = [float(L2(problem.domain)(a - b).max()) for a, b in pairwise(sounds)]
    assert math.log(error[0] / error[1], 3) > 1.8


def test_a_free_source_is_heard_as_d_alembert_says():
    """On the line p(x, t) = c^2 / 2c times the integral of s over the characteristics that reach (x, t)."""
    problem = Acoustics(Domain([8.0], "periodic"), speed=2.0, width=0.3, frequency=1.0, time=1.0)
    inputs = problem.sample((512,), 0, [0])
    p, x = problem.solve(inputs).value[0, 0], Grid(problem.domain, (512,)).axis(0)
    t, weights = np.polynomial.legendre.leggauss(60)
    expected = torch.zeros_like(x)
    for s, weight in zip((t + 1) / 2, weights / 2, strict=True):
        sound = problem.source(inputs)(float(s))[0, 0]
        modes, k = torch.fft.rfft(sound), torch.arange(257) * 2 * math.pi / 8.0
        shifted = torch.fft.irfft(modes * torch.cos(k * problem.speed * (1 - float(s))), n=512)
        expected += weight * problem.speed**2 * shifted
    # Waves are late by (omega h / c)^2 / 24 of their phase.
    assert float((p - expected).abs().max() / expected.abs().max()) < 2e-3


def test_a_source_comes_with_a_higher_tone_than_it_goes():
    problem = Acoustics(Domain([40.0], "periodic"), speed=1.0, width=0.1, frequency=2.0, time=8.0)
    control = torch.tensor([18.0, 20.0, 22.0], dtype=torch.float64)  # a straight path, at half the speed of sound
    p = problem.solve(control[None, :, None].expand(1, 3, 2400)).value[0, 0]
    x = Grid(problem.domain, (2400,)).axis(0)

    def crossings(low: float, high: float) -> int:
        part = p[(x > low) & (x < high)].sign()
        return int((part.diff().abs() > 1).sum())

    speed = (22.0 - 18.0) / 8.0
    assert crossings(23.0, 25.0) == pytest.approx(2 * 2 * 2.0 / (1 - speed), abs=1)
    assert crossings(15.0, 17.0) == pytest.approx(2 * 2 * 2.0 / (1 + speed), abs=1)


def test_sound_is_heard_again_by_the_second_solver():
    for problem in (
        Acoustics(Domain([1.0, 2.0], [("neumann", "dirichlet"), "periodic"]), snapshots=2, time=0.5),
        Acoustics(Domain.unit(1, "neumann"), reflection=-1.0),
        Acoustics(Domain.unit(3, "neumann"), reflection=1.0, time=0.2),
    ):
        inputs = problem.sample((10,) * problem.domain.dimension, 3, range(2))
        solution = problem.solve(inputs)
        assert float(problem.verify(inputs, solution.value).max()) < 1e-10
        assert problem.times == tuple((i + 1) * problem.interval for i in range(problem.snapshots))


def test_walls_that_amplify_are_refused():
    with pytest.raises(ValueError, match="reflect between -1 and 1"):
        replace(Acoustics(), reflection=1.5)
