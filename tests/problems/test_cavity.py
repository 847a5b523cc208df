"""Theorems about cavity flow: published profiles, order of convergence, energy, the Stokes limit."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from vcycle.operators.staggered import divergence, pressure_gradient, to_faces
from vcycle.operators.staggered_flow import convection
from vcycle.problems import Cavity, Stokes
from vcycle.solvers import solve_poisson
from vcycle.spaces import Domain, Grid

# Ghia, Ghia and Shin 1982, tables I and II, Reynolds number 100: u(1/2, y) and v(x, 1/2).
Y = [0.0547, 0.0625, 0.0703, 0.1016, 0.1719, 0.2813, 0.4531, 0.5, 0.6172, 0.7344, 0.8516, 0.9531]
U = [
    -0.03717,
    -0.04192,
    -0.04775,
    -0.06434,
    -0.10150,
    -0.15662,
    -0.21090,
    -0.20581,
    -0.13641,
    0.00332,
    0.23151,
    0.68717,
]
X = [0.0625, 0.0703, 0.0781, 0.0938, 0.1563, 0.2266, 0.2344, 0.5, 0.8047, 0.8594, 0.9453]
V = [0.09233, 0.10091, 0.10890, 0.12317, 0.16077, 0.17507, 0.17527, 0.05454, -0.24533, -0.22445, -0.10313]


def case(n: int, speed: float, viscosity: float) -> torch.Tensor:
    values = torch.tensor([speed, viscosity], dtype=torch.float64)
    return values[None, :, None, None].expand(1, 2, n, n).contiguous()


def test_the_steady_flow_at_reynolds_number_100_is_the_published_one():
    n = 32
    u, v, _ = Cavity(time=15.0).march(case(n, 1.0, 0.01), 0)[0]
    x = Grid(Domain.unit(1), (n,)).axis(0).numpy()
    along_y = (u[n // 2 - 1] + u[n // 2]) / 2
    along_x = (v[:, n // 2 - 1] + v[:, n // 2]) / 2
    assert np.abs(CubicSpline(x, along_y.numpy())(Y) - U).max() < 0.01
    assert np.abs(CubicSpline(x, along_x.numpy())(X) - V).max() < 0.01


def test_a_smooth_lid_gives_second_order():
    problem = Cavity(lid="random", time=0.2, reynolds=(20.0, 20.0))
    flows = []
    for n in (8, 24, 72):
        middles = (slice(None), slice(None), *(slice(n // 16, None, n // 8),) * 2)
        flows.append(problem.march(problem.sample((n, n), 0, [0]), 0)[middles])
    for channels in (slice(0, 2), slice(2, 3)):
        errors = [float((a - b)[:, channels].norm()) for a, b in pairwise(flows)]
        assert math.log(errors[0] / errors[1], 3) > 1.6


def test_slow_flow_comes_to_rest_as_stokes_flow():
    problem = Cavity(Domain([2.0, 1.0]), time=3.0)
    inputs = Stokes(Domain([2.0, 1.0]), viscosity=1.0, drive="lid").sample((16, 8), 0, [0]) * 1e-4
    flow = problem.march(torch.cat([inputs, torch.ones_like(inputs)], 1), 0)
    stokes = replace(Stokes(Domain([2.0, 1.0]), drive="lid"), viscosity=1.0).solve(inputs).value
    assert float((flow - stokes).norm() / stokes.norm()) < 1e-4


@pytest.mark.parametrize("shape", [(7, 10), (5, 6, 4)])
def test_convection_takes_no_energy_where_nothing_diverges(shape):
    domain = Domain([1.0, 2.0, 1.5][: len(shape)])
    spacing = Grid(domain, shape).spacing
    u = to_faces(torch.randn(2, len(shape), *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    phi = solve_poisson(-divergence(u, spacing), Domain(domain.extents, "neumann"))
    u = tuple(a - b for a, b in zip(u, pressure_gradient(phi, spacing), strict=True))
    assert float(divergence(u, spacing).abs().max()) < 1e-11
    pairs = list(zip(u, convection(u, spacing), strict=True))
    work, size = sum(float((a * b).sum()) for a, b in pairs), sum(float((a * b).abs().sum()) for a, b in pairs)
    assert abs(work) < 1e-13 * size


def test_a_mirrored_lid_mirrors_the_flow():
    problem = Cavity(time=0.2)
    one, other = (problem.march(case(12, speed, 0.02), 0)[0] for speed in (1.0, -1.0))
    torch.testing.assert_close(other.flip(1), one * torch.tensor([-1.0, 1.0, 1.0]).view(3, 1, 1), atol=1e-12, rtol=0)


def test_cavities_are_boxes_with_walls():
    with pytest.raises(ValueError, match="needs walls"):
        Cavity(Domain.unit(2, "periodic"))
    with pytest.raises(ValueError, match="0 < low <= high for reynolds"):
        Cavity(reynolds=(100.0, 10.0))
