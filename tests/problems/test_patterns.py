"""Gray-Scott, Cahn-Hilliard and Swift-Hohenberg against reference trajectories, exact solutions and linear theory."""

import math

import pytest
import torch
from scipy.integrate import solve_ivp

from references.trajectories import largest_difference, trajectory
from vcycle.problems import CahnHilliard, GrayScott, SwiftHohenberg
from vcycle.problems.bumps import bumps
from vcycle.spaces import Domain, Grid

LINE = Domain.unit(1, "periodic")


def test_the_reference_trajectory_of_gray_scott():
    """Both intervals, to what the reference's own step leaves, on points that resolve the spots."""
    found, expected = trajectory("pde_grayscott_2d", GrayScott, 4, 1e-6, 2, feed=0.04, kill=0.06)
    assert largest_difference(found, expected) < 4.2e-7


def test_without_gradients_gray_scott_is_an_ordinary_equation():
    P = GrayScott(LINE, time=5.0, accuracy=1e-9)
    F, k = P.feed, P.kill

    def rate(t, y):
        u, v = y
        return [F * (1 - u) - u * v * v, u * v * v - (F + k) * v]

    expected = solve_ivp(rate, (0, 5), [0.4, 0.5], rtol=1e-11, atol=1e-12).y[:, -1]
    start = torch.tensor([0.4, 0.5], dtype=torch.float64).view(1, 2, 1).expand(1, 2, 8)
    found = P.solve(start).value[0, :, 0]
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-8)


def test_seeds_grow_and_the_rest_is_stable():
    P = GrayScott(seeds=2, time=50.0)
    u, v = P.solve(P.sample((48, 48), 0, [0])).value[0]
    assert u.min() < 0.5 and v.max() > 0.2
    assert u.max() == pytest.approx(1.0, abs=1e-2) and v.min().abs() < 1e-2
    empty = torch.stack([torch.ones(16, 16), torch.zeros(16, 16)])[None].double()
    torch.testing.assert_close(P.solve(empty).value, empty)


@pytest.mark.parametrize("boundary", ["periodic", "neumann"])
def test_bumps_fit_the_faces(boundary):
    """Height 1, smooth across periodic faces, level at Neumann faces."""
    box = Domain([(1.0, 3.0)], boundary)
    s = bumps(box, (900,), 0, range(20), 1, 0.2)[:, 0]
    assert s.min() >= 0
    torch.testing.assert_close(s.amax(1), torch.ones(20, dtype=torch.float64), rtol=0, atol=1e-3)
    across = s[:, 0] - s[:, -1] if boundary == "periodic" else torch.cat([s[:, 0] - s[:, 1], s[:, -1] - s[:, -2]])
    assert across.abs().max() < (0.02 if boundary == "periodic" else 3e-4)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_small_waves_grow_by_linear_theory(k):
    """exp(sigma t), sigma = M q^2 (1 - eps^2 q^2) for Cahn-Hilliard, r - (q_c^2 - q^2)^2 for Swift-Hohenberg."""
    q, tiny = 2 * math.pi * k, 1e-6
    for P, sigma in (
        (CahnHilliard(LINE, width=0.05, mobility=0.5, time=0.01), 0.5 * q**2 * (1 - (0.05 * q) ** 2)),
        (SwiftHohenberg(LINE, driving=0.5, wavenumber=9.0, time=1e-4), 0.5 - (81.0 - q**2) ** 2),
    ):
        u = tiny * torch.cos(q * Grid(LINE, (32,)).axis(0))[None, None]
        torch.testing.assert_close(P.solve(u).value, math.exp(sigma * P.time) * u, rtol=0, atol=1e-11)


def test_the_interface_of_cahn_hilliard_stays():
    """tanh(x / (2^(1/2) eps)); two of them, far apart on a periodic box."""
    eps = 0.03
    P = CahnHilliard(LINE, width=eps, time=0.01, accuracy=1e-8)
    x, width = Grid(LINE, (128,)).axis(0), math.sqrt(2) * eps
    u = (torch.tanh((x - 0.25) / width) * torch.tanh((0.75 - x) / width))[None, None]
    torch.testing.assert_close(P.solve(u).value, u, rtol=0, atol=1e-3)


def test_stripes_have_the_height_of_the_docstring():
    """u = 2 (r / 3)^(1/2) cos(q x) + O(r^(3/2)) is steady."""
    P = SwiftHohenberg(Domain([2 * math.pi], "periodic"), driving=0.01, time=500.0, accuracy=1e-5)
    u = 0.05 * torch.cos(Grid(P.domain, (16,)).axis(0))[None, None]
    assert float(P.solve(u).value.max()) == pytest.approx(2 * math.sqrt(0.01 / 3) * math.cos(math.pi / 16), rel=1e-2)


def test_quadratic_terms_prefer_one_sign():
    """u to -u maps the equation with g to that with -g."""
    up, down = (SwiftHohenberg(Domain([25.0], "periodic"), quadratic=g, time=5.0) for g in (1.0, -1.0))
    u = up.sample((32,), 0, [0])
    torch.testing.assert_close(up.solve(u).value, -down.solve(-u).value)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="positive width, got 0"):
        CahnHilliard(width=0.0)
    with pytest.raises(ValueError, match="at least one seed, got 0"):
        GrayScott(seeds=0)
    with pytest.raises(ValueError, match="positive diffusivity, got -1"):
        GrayScott(diffusivities=(-1.0, 1.0))
