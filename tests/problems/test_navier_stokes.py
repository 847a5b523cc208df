"""Two-dimensional flow against reference trajectories, Taylor-Green vortices, and its invariants."""

import math
from dataclasses import replace

import pytest
import torch

from references.trajectories import largest_difference, trajectory
from vcycle.problems import NavierStokes, vorticity
from vcycle.spaces import Domain, Grid

KOLMOGOROV = {"viscosity": 0.02, "forcing": "kolmogorov", "strength": 4.0, "wavenumber": 4, "drag": 0.1}


@pytest.mark.parametrize(
    ("file", "options", "finer", "last", "limit"),
    [
        ("pde_ns_vorticity_2d_unforced", {"forcing": "none"}, 2, 2, 4.2e-9),
        ("pde_ns_vorticity_2d_kolmogorov", KOLMOGOROV, 2, 2, 4.8e-7),
        # At 64 x 64 the discretisation in space leaves 7e-10.
        ("pde_ns_vorticity_2d_fno_forcing", {}, 2, 5, 2.4e-12),
    ],
)
def test_reference_trajectories(file, options, finer, last, limit):
    found, expected = trajectory(file, NavierStokes, finer, limit / 2, last, **options)
    assert largest_difference(found, expected) < limit


def test_states_given_and_asked_for_are_those_of_one_trajectory():
    """With warmup = 1 and unit intervals the instants 1, 2, 3 and 4, 5; as in the paper with ten of each."""
    paper = NavierStokes(viscosity=1e-5, warmup=1.0, history=10, snapshots=10, time=10.0)
    assert (paper.input_names[-1], paper.output_names[-1], paper.interval) == ("w_9", "w_19", 1.0)
    P = NavierStokes(warmup=1.0, history=3, snapshots=2, time=2.0)
    inputs = P.sample((16, 16), 0, [0])
    found = torch.cat([inputs, P.solve(inputs).value], 1)
    whole = NavierStokes(time=5.0, snapshots=5)
    torch.testing.assert_close(found, whole.solve(whole.sample((16, 16), 0, [0])).value, rtol=0, atol=1e-5)


def test_taylor_green_vortices_decay():
    P = NavierStokes(Domain([1.0, 2.0], "periodic"), viscosity=0.02, forcing="none", drag=0.1, time=1.0)
    x, y = Grid(P.domain, (16, 16)).mesh()
    w = (torch.cos(2 * math.pi * x) * torch.cos(math.pi * y))[None, None]
    decay = math.exp(-(0.02 * 5 * math.pi**2 + 0.1))
    torch.testing.assert_close(P.solve(w).value, w * decay, rtol=0, atol=1e-9)


def test_a_laminar_kolmogorov_flow_stays():
    P = NavierStokes(viscosity=0.05, forcing="kolmogorov", strength=0.3, wavenumber=2, time=1.0)
    w = (P.force((16, 16)) / (0.05 * (4 * math.pi) ** 2))[None, None]
    torch.testing.assert_close(P.solve(w).value, w, rtol=0, atol=1e-9)


def test_the_residual_of_a_solved_trajectory_is_small():
    """The differential equation, checked by differences in time that the solver does not use."""
    P = NavierStokes(time=0.2, snapshots=20, accuracy=1e-8)
    w = P.sample((32, 32), 0, [0])
    states = torch.cat([w, P.solve(w).value], 1)
    r = vorticity.residual(states, P.interval, P.viscosity, P.force((32, 32)), P.domain)
    rate = vorticity.time_derivative(states, P.interval)
    assert float(r[:, 2:-2].norm() / rate[:, 2:-2].norm()) < 1e-5


def test_the_mean_stays_and_without_forcing_enstrophy_decays():
    P = replace(NavierStokes(), time=1.0, forcing="none")
    w = P.sample((32, 32), 0, range(2))
    later = P.solve(w).value
    torch.testing.assert_close(later.mean((2, 3)), w.mean((2, 3)))
    assert bool((later.square().mean((2, 3)) < w.square().mean((2, 3))).all())


def test_the_forcing_of_the_paper():
    x, y = Grid(Domain.unit(2), (8, 8)).mesh()
    s = 2 * math.pi * (x + y)
    torch.testing.assert_close(NavierStokes().force((8, 8)), 0.1 * (s.sin() + s.cos()))
