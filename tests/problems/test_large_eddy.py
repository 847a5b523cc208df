"""Large-eddy simulation: exact flows, agreement with the vorticity form, and what the closure takes from the flow."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from vcycle.problems import LargeEddy, NavierStokes, vorticity
from vcycle.problems.velocity import curl, gradient_symbols, strain, strain_rate, without_divergence
from vcycle.solvers import FourierGrid
from vcycle.spaces import Domain, Grid

CUBE = Domain([2 * math.pi] * 3, "periodic")


def divergence(u: torch.Tensor, grid: FourierGrid) -> torch.Tensor:
    return sum(grid.derivative(u[:, i], i) for i in range(u.shape[1]))


@pytest.mark.parametrize("P", [LargeEddy(time=0.2), LargeEddy(CUBE, time=0.2, waves=2)], ids=["2d", "3d"])
def test_flow_has_no_divergence_and_the_asked_speed(P):
    shape = (16,) * P.domain.dimension
    grid, u = FourierGrid(P.domain, shape), P.sample(shape, 0, range(2))
    torch.testing.assert_close(u.square().sum(1).flatten(1).mean(1), torch.ones(2, dtype=torch.float64))
    for flow in (u, P.solve(u).value):
        assert float(divergence(flow, grid).abs().max()) < 1e-10
    assert float(u.mean(tuple(range(2, u.ndim))).abs().max()) < 1e-12


def test_without_closure_it_is_navier_stokes_flow():
    """The curl of the velocity solves the equation of the vorticity."""
    box = Domain([1.0, 2.0], "periodic")
    P = LargeEddy(box, viscosity=0.01, smagorinsky=0.0, time=0.3, tau=5.0, accuracy=1e-8)
    u = P.sample((32, 32), 0, [0])
    grid = FourierGrid(box, (32, 32))

    def w(u: torch.Tensor) -> torch.Tensor:
        return grid.derivative(u[:, 1:], 0) - grid.derivative(u[:, :1], 1)

    flow = NavierStokes(box, viscosity=0.01, forcing="none", time=0.3, accuracy=1e-8)
    torch.testing.assert_close(w(P.solve(u).value), flow.solve(w(u)).value, rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.stack(vorticity.velocity(w(u)[:, 0], box), 1), u, rtol=0, atol=1e-9)


def test_the_abc_flow_decays_like_a_beltrami_field():
    """curl u = u: u . grad u is a gradient, so without closure u(t) = exp(-nu t) u."""
    P = LargeEddy(CUBE, viscosity=0.1, smagorinsky=0.0, time=1.0)
    x, y, z = Grid(CUBE, (12,) * 3).mesh()
    u = torch.stack([z.sin() + y.cos(), x.sin() + z.cos(), y.sin() + x.cos()])[None]
    torch.testing.assert_close(P.solve(u).value, math.exp(-0.1) * u, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_closure_takes_the_integral_of_the_eddy_viscosity_times_the_squared_strain_rate(dimension):
    """(u, N(u) with closure - N(u) without) = -integral of nu_t |S|^2 < 0, to rounding, for any resolved flow."""
    P = LargeEddy(Domain([2 * math.pi] * dimension, "periodic"), waves=2)
    shape = (16,) * dimension
    u = P.sample(shape, 0, range(3))
    grid = FourierGrid(P.domain, shape)
    with_closure, without = (Q.equation_on(shape).rate(u) for Q in (P, replace(P, smagorinsky=0.0)))
    power = (u * (with_closure - without)).sum(1).flatten(1).mean(1)
    size = strain_rate(strain(grid.inverse(grid.transform(u)[:, :, None] * gradient_symbols(grid))))
    eddy_viscosity = (P.smagorinsky * P.filter_width) ** 2 * size
    torch.testing.assert_close(power, -(eddy_viscosity * size.square()).flatten(1).mean(1))
    assert bool((power < 0).all())


def test_convection_keeps_energy():
    """(u, P(u . grad u)) = 0: without closure energy falls by viscosity alone, -nu times the integral of |grad u|^2."""
    P = LargeEddy(viscosity=0.01, smagorinsky=0.0)
    u = P.sample((24, 24), 0, [0])
    rate = P.equation_on((24, 24)).rate(u)
    grid = FourierGrid(P.domain, (24, 24))
    slopes = torch.stack([grid.derivative(u, axis) for axis in range(2)])
    torch.testing.assert_close((u * rate).sum(), -0.01 * slopes.square().sum())


def test_a_laminar_flow_under_the_closure_stays():
    """u(y) e_x with (nu + l^2 |u'|) u' = (s / k) cos(k y): a quadratic equation for u', l = C_s Delta.

    |u'| u' has a jump in its second derivative, so what a grid leaves of its first falls like h^(3/2) in L2.
    """
    P = LargeEddy(viscosity=0.2, smagorinsky=0.5, filter_width=0.4, forcing="kolmogorov", strength=0.5, wavenumber=1)
    length = P.smagorinsky * P.filter_width
    changes = []
    for n in (48, 96, 192):
        y = Grid(P.domain, (4, n)).mesh()[1]
        drive = 0.5 * torch.cos(y)
        slope = drive.sign() * ((P.viscosity**2 + 4 * length**2 * drive.abs()).sqrt() - P.viscosity) / (2 * length**2)
        grid = FourierGrid(P.domain, (4, n))
        # The primitive of the slope along y.
        u_hat = grid.transform(slope) * grid.inverse_laplacian * (-1j * grid.odd_wavenumbers[1])
        u = torch.stack([grid.inverse(u_hat), torch.zeros(4, n, dtype=torch.float64)])[None]
        changes.append(float(P.equation_on((4, n)).rate(u).square().mean().sqrt()))
    assert changes[2] < 1e-3 * P.strength
    for coarse, fine in itertools.pairwise(changes):
        assert math.log2(coarse / fine) == pytest.approx(1.5, abs=0.1)


def test_more_closure_less_energy_and_smoother_flow():
    u = LargeEddy().sample((32, 32), 0, [0])
    energies = [float(LargeEddy(smagorinsky=c).solve(u).value.square().mean()) for c in (0.0, 0.1, 0.2)]
    assert energies[0] > energies[1] > energies[2]


def test_projections():
    """The Leray projection is idempotent, keeps curls and means, and takes gradients."""
    for box, shape in ((Domain([1.0, 2.0], "periodic"), (8, 9)), (CUBE, (7, 8, 9))):
        grid, d = FourierGrid(box, shape), len(shape)
        u = torch.randn(1, d, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        u_hat = grid.transform(u) * grid.resolved
        once = without_divergence(grid, u_hat)
        torch.testing.assert_close(without_divergence(grid, once), once)
        swirl = curl(grid, u_hat[:, : 1 if d == 2 else 3])
        torch.testing.assert_close(without_divergence(grid, swirl), swirl)
        slopes = gradient_symbols(grid) * u_hat[:, :1]
        torch.testing.assert_close(without_divergence(grid, slopes), torch.zeros_like(slopes), rtol=0, atol=1e-9)
        mean = (slice(None), slice(None), *(0,) * d)
        torch.testing.assert_close(once[mean], u_hat[mean])


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="two or three dimensions"):
        LargeEddy(Domain.unit(1, "periodic"))
    with pytest.raises(ValueError, match="smagorinsky >= 0"):
        LargeEddy(smagorinsky=-0.1)
    with pytest.raises(ValueError, match="need more than 8 points"):
        LargeEddy().sample((8, 8), 0, [0])
