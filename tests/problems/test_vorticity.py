"""Taylor-Green vortices satisfy the vorticity equation exactly; velocity and advection keep their invariants."""

import math

import pytest
import torch

from vcycle.problems import vorticity
from vcycle.spaces import Domain, GaussianField, Grid

BOX = Domain([(-1.0, 1.0), (0.0, 3.0)], "periodic")


def taylor_green(shape, times, viscosity):
    """w = |k|^2 cos(kx x) cos(ky y) exp(-nu |k|^2 t) on a rectangle: its advection vanishes."""
    x, y = Grid(BOX, shape, "vertex").mesh()
    kx, ky = (2 * math.pi / length for length in BOX.lengths)
    k2 = kx**2 + ky**2
    psi = torch.cos(kx * x) * torch.cos(ky * y)
    decay = torch.exp(-viscosity * k2 * times)[:, None, None]
    u, v = -ky * torch.cos(kx * x) * torch.sin(ky * y), kx * torch.sin(kx * x) * torch.cos(ky * y)
    return (k2 * psi * decay)[None], u * decay, v * decay


@pytest.fixture
def rough():
    return GaussianField(BOX, 2.0, 3.0).sample((24, 32), 0, range(2), "vertex")[:, 0]


def test_velocity_of_taylor_green():
    w, u, v = taylor_green((16, 12), torch.zeros(1), 0.1)
    found = vorticity.velocity(w, BOX)
    torch.testing.assert_close(found[0][0], u, atol=1e-12, rtol=0)
    torch.testing.assert_close(found[1][0], v, atol=1e-12, rtol=0)


def test_residual_of_taylor_green_falls_at_fourth_order():
    errors = []
    for count in (9, 17, 33):
        times = torch.linspace(0, 1, count, dtype=torch.float64)
        w = taylor_green((12, 16), times, 0.1)[0]
        errors.append(float(vorticity.residual(w, 1 / (count - 1), 0.1, 0.0, BOX).abs().max()))
    assert errors[-1] < 1e-3
    assert math.log2(errors[0] / errors[1]) > 3.4
    assert math.log2(errors[1] / errors[2]) > 3.7


def test_a_steady_forced_flow_has_no_residual():
    w = taylor_green((12, 12), torch.zeros(5), 0.0)[0]
    kx, ky = (2 * math.pi / length for length in BOX.lengths)
    assert vorticity.residual(w, 0.1, 0.05, 0.05 * (kx**2 + ky**2) * w, BOX).abs().max() < 1e-11


def test_velocity_has_no_divergence_and_its_curl_is_w(rough):
    u, v = vorticity.velocity(rough, BOX)
    grid = vorticity.FourierGrid(BOX, (24, 32))
    cut = grid.inverse(grid.transform(rough) * grid.resolved)
    u, v = (grid.inverse(grid.transform(c) * grid.resolved) for c in (u, v))
    assert (grid.derivative(u, 0) + grid.derivative(v, 1)).abs().max() < 1e-12
    torch.testing.assert_close(
        grid.derivative(v, 0) - grid.derivative(u, 1), cut - cut.mean((1, 2), keepdim=True), atol=1e-12, rtol=0
    )


def test_advection_conserves_mean_energy_and_enstrophy(rough):
    grid = vorticity.FourierGrid(BOX, (24, 32))
    w = grid.inverse(grid.transform(rough) * grid.resolved)
    a = vorticity.advection(w, BOX)
    psi = grid.inverse(grid.transform(w) * grid.inverse_laplacian)
    for weight in (torch.ones_like(w), w, psi):
        assert (a * weight).mean() / (a * weight).abs().mean() < 1e-12


def test_any_leading_axes_single_precision_and_gradients(rough):
    w = rough.float().expand(3, 5, 2, 24, 32).clone().requires_grad_()
    a = vorticity.advection(w, BOX)
    assert a.dtype == torch.float32
    assert a.shape == w.shape
    a.square().sum().backward()
    assert w.grad is not None
    assert w.grad.isfinite().all()


def test_time_derivative_is_exact_for_quartics():
    t = torch.linspace(0, 1, 7, dtype=torch.float64)
    w = (t**4 - t)[None, :, None]
    torch.testing.assert_close(vorticity.time_derivative(w, 1 / 6)[0, :, 0], 4 * t**3 - 1)


def test_what_cannot_be_done_is_said():
    with pytest.raises(ValueError, match="at least 5 snapshots"):
        vorticity.residual(torch.zeros(1, 4, 8, 8), 0.1, 0.1, 0.0, BOX)
    with pytest.raises(ValueError, match="periodic along every axis"):
        vorticity.velocity(torch.zeros(1, 8, 8), Domain.unit(2))
    with pytest.raises(ValueError, match="two dimensions"):
        vorticity.velocity(torch.zeros(1, 8), Domain.unit(1, "periodic"))
