"""Theorems about two fluids on a grid: what is kept, what stays at rest, what is the flow of one fluid, order."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from vcycle.problems.channel_flow import INLET, PLATES
from vcycle.solvers import ObstructedFlow, TwoFluids
from vcycle.solvers.phase_field import carried, loss, sharpening
from vcycle.solvers.weighted_projection import weighted_pressure
from vcycle.spaces import Domain, Grid

BOX = Domain([(-1.0, 2.0), (0.0, 1.5)], [INLET, PLATES])


def channel(n: int, m: int, speed: float = 0.0, solid: bool = True, **settings) -> TwoFluids:
    """Water to half the height, and a barrier below that."""
    x, y = Grid(BOX, (n, m)).mesh()
    inflow = torch.sigmoid((0.75 - y[:1]) / 0.1)
    wall = (x > 0) & (x < 0.6) & (y < 0.5) & solid
    usual = {"gravity": 1.0, "density": 1e-3, "thinness": 0.02, "thickness": 0.1, "mobility": 0.3}
    return TwoFluids(BOX, (n, m), speed * inflow, inflow, torch.tensor([0.01]).double(), wall[None], **usual | settings)


def stirred(fluids: TwoFluids, seed: int = 0) -> torch.Tensor:
    """Any state: cells of water, of air and of both, and velocities without divergence."""
    g = torch.Generator().manual_seed(seed)
    (n, m), free = fluids.shape, ~fluids.solid
    phi = (2 * torch.rand(1, n, m, generator=g, dtype=torch.float64) - 0.5).clamp(0, 1) * free
    u = torch.randn(1, n + 1, m, generator=g, dtype=torch.float64)
    u[:, 0] = fluids.inlet
    return fluids.state(phi, u, torch.randn(1, n, m + 1, generator=g, dtype=torch.float64))


@pytest.mark.parametrize("angle", [0.0, 0.5, math.pi / 2, 2.0])
@pytest.mark.parametrize("shape", [(12, 9), (40, 30)])
def test_a_plane_interface_keeps_its_form_on_any_grid(angle, shape):
    grid, eps = Grid(Domain([1.0, 1.0]), shape), 0.05
    x, y = grid.mesh()
    phi = torch.sigmoid(((x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)) / eps)[None]
    opened = torch.ones(1, shape[0] + 1, shape[1]).bool(), torch.ones(1, shape[0], shape[1] + 1).bool()
    inside = [f[:, 2:-2, 2:-2].abs().max() for f in sharpening(phi, grid.spacing, eps, opened)]
    wider = [f[:, 2:-2, 2:-2].abs().max() for f in sharpening(phi, grid.spacing, 2 * eps, opened)]
    assert max(inside) < 2e-4 < 0.1 < max(wider)


@pytest.mark.parametrize("solid", [False, True])
def test_no_cell_is_emptied_or_overfilled_by_an_explicit_step(solid):
    fluids = channel(24, 12, speed=0.5, solid=solid)
    for seed in range(3):
        state = stirred(fluids, seed)
        later = fluids.parts(state + fluids.change(state)[0] / fluids.haste(state))[0]
        assert float(later.min()) > -1e-14
        assert float(later.max()) < 1 + 1e-14
        assert float((later - fluids.parts(state)[0]).abs().max()) > 0.1


@pytest.mark.parametrize("density", [1e-3, 0.1])
def test_volumes_are_kept_and_nothing_diverges(density):
    fluids = channel(18, 10, speed=0.7, density=density)
    state = stirred(fluids)
    rate, p = fluids.change(state)
    h, k = fluids.spacing
    later = state + 0.3 * rate
    phi_rate, u_rate, v_rate = fluids.parts(rate)
    assert float(fluids.divergence(*fluids.parts(later)[1:]).abs().max()) < 1e-9 * float(u_rate.abs().max())
    phi, u, _ = fluids.parts(state)
    out = carried(phi, fluids.inflow, *fluids.parts(state)[1:], fluids.opened)[0]
    change = phi_rate.sum() * h * k
    torch.testing.assert_close(change, (out[:, 0] - out[:, -1]).sum() * k, atol=1e-12, rtol=0)
    torch.testing.assert_close(u[:, 0], fluids.inlet, atol=1e-15, rtol=0)
    solid = fluids.solid
    assert float(u[:, :-1][solid].abs().max()) == float(u_rate[:, 1:][solid].abs().max()) == 0
    assert float(v_rate[:, :, 1:][solid].abs().max()) == float(p[solid].abs().max()) == 0


@pytest.mark.parametrize("density", [1e-3, 0.5])
def test_water_at_rest_stays_at_rest(density):
    """On both sides of a barrier, below air, for as long as a wave takes from the inlet to the barrier."""
    fluids = channel(12, 12, density=density)
    y = Grid(BOX, fluids.shape).axis(1)
    phi = torch.sigmoid((0.9 - y) / 0.1).expand(1, *fluids.shape) * ~fluids.solid
    end = fluids.march(fluids.begin(phi), 1.0, 1, 0)
    assert float(end[:, :2].abs().max()) < 1e-8
    torch.testing.assert_close(end[:, 3], phi, atol=2e-8, rtol=0)
    rho = density + (1 - density) * phi[0, 0]
    weight = float((rho * fluids.spacing[1]).sum())
    assert float(end[0, 2, 0, 0]) == pytest.approx(weight - float(rho[0]) * fluids.spacing[1] / 2, rel=1e-7)


def test_with_air_as_heavy_as_water_it_is_the_flow_of_one_fluid_with_a_dye():
    """Without viscosity, whose stress near edges and the outlet is another than that of -nu lap u; p has the weight."""
    fluids = replace(channel(18, 10, speed=0.7, density=1.0, thinness=1.0), viscosity=torch.zeros(1).double())
    state = stirred(fluids)
    rate, p = fluids.change(state)
    one = ObstructedFlow(BOX, fluids.shape, fluids.inlet, fluids.viscosity, fluids.solid)
    _, u, v = fluids.parts(state)
    expected, dynamic = one.acceleration(torch.cat([u[:, 1:].flatten(1), v[:, :, 1:-1].flatten(1)], 1))
    _, u_rate, v_rate = fluids.parts(rate)
    for found, other in zip((u_rate[:, 1:], v_rate[:, :, 1:-1]), one.parts(expected), strict=True):
        torch.testing.assert_close(found, other, atol=1e-9, rtol=1e-9)
    weight = (1.5 - Grid(BOX, fluids.shape).axis(1)) * ~fluids.solid
    torch.testing.assert_close(p - weight, dynamic[:, 0], atol=1e-8, rtol=1e-8)


def test_poiseuille_flow_of_the_grid_stays_what_it_is():
    """Between plates 1.5 apart 6 y (1.5 - y) + 3 k^2 / 2 on cells of height k, with the slope 12 nu of p."""
    fluids = channel(14, 8, density=1.0, thinness=1.0, solid=False, gravity=0.0)
    y, (h, k) = Grid(BOX, fluids.shape).axis(1), fluids.spacing
    profile = 6 * y * (1.5 - y) + 1.5 * k**2
    fluids = replace(fluids, inlet=profile[None])
    u, v = profile.expand(1, 15, 8), torch.zeros(1, 14, 9).double()
    rate, p = fluids.change(fluids.state(torch.ones(1, 14, 8).double(), u, v))
    assert float(fluids.parts(rate)[1].abs().max()) < 1e-11
    torch.testing.assert_close(p[0].diff(dim=0) / h, torch.full((13, 8), -0.12).double(), atol=1e-10, rtol=0)


def test_layers_slide_with_the_same_stress_on_both_sides():
    """Water and air, 0.02 times as viscous: the slopes of u have the ratio 50, and the stress no jump."""
    fluids = channel(10, 8, solid=False, gravity=0.0, mobility=0.0)
    phi = (torch.arange(8) < 4).double().expand(1, 10, 8)
    k, nu = fluids.spacing[1], fluids.viscosity
    mu = torch.where(phi[0, 0] > 0, nu, 0.02 * nu)
    between = torch.cat([mu[:1] * 2, 2 / (1 / mu[1:] + 1 / mu[:-1]), mu[-1:] * 2])
    # u with a uniform pressure gradient 1: stresses fall by k from face to face.
    matrix = torch.diag(between[1:] + between[:-1]) - torch.diag(between[1:-1], 1) - torch.diag(between[1:-1], -1)
    profile = torch.linalg.solve(matrix, torch.full((8,), float(k**2), dtype=torch.float64))
    fluids = replace(fluids, inlet=profile[None], inflow=phi[:, 0])
    rate, p = fluids.change(fluids.state(phi, profile.expand(1, 11, 8), torch.zeros(1, 10, 9).double()))
    assert float(fluids.parts(rate)[1].abs().max()) < 1e-8
    slope = p[0].diff(dim=0) / fluids.spacing[0]
    torch.testing.assert_close(slope, -torch.ones_like(slope), atol=1e-8, rtol=0)
    assert float(profile[5] / profile[0]) > 5


def test_second_order_where_the_flow_is_smooth():
    found = []
    for m in (8, 16, 32):
        fluids = replace(
            channel(2 * m, m, speed=0.5, solid=False, density=0.1, thinness=0.1, thickness=0.2),
            viscosity=torch.full((1,), 0.2).double(),
        )
        x, y = Grid(BOX, fluids.shape).mesh()
        phi = torch.sigmoid((0.75 + 0.2 * torch.cos(math.pi * (x + 1) / 3) - y) / 0.2)[None]
        fluids = replace(fluids, inflow=torch.sigmoid((0.95 - y[:1]) / 0.2))
        inlet = 2 * y[:1] * (1.5 - y[:1])
        fluids = replace(fluids, inlet=inlet)
        u = inlet[:, None].expand(1, 2 * m + 1, m)
        states = fluids.march(fluids.state(phi, u, torch.zeros(1, 2 * m, m + 1).double()), 0.25, 1, 0)
        size = m // 8
        found.append(states.unflatten(3, (8, size)).mean(4).unflatten(2, (16, size)).mean(3))
    errors = torch.stack([(a - b).flatten(2).norm(dim=2)[0] for a, b in pairwise(found)])
    orders = (errors[0] / errors[1]).log2()
    assert float(orders.min()) > 1.8


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 1)])
def test_pressures_solve_their_equation(shape):
    n, m = shape
    g = torch.Generator().manual_seed(1)
    wx = torch.rand(2, n + 1, m, generator=g, dtype=torch.float64) * 1e3
    wy = torch.rand(2, n, m + 1, generator=g, dtype=torch.float64)
    wx[:, 0], wy[:, :, 0], wy[:, :, -1] = 0, 0, 0
    wx[:, 1:3, 0] = 0
    wy[:, 1, :2] = 0  # the cell (1, 0) has no open face
    f = torch.randn(2, n, m, generator=g, dtype=torch.float64)
    f[wx[:, 1:] + wx[:, :-1] + wy[:, :, 1:] + wy[:, :, :-1] == 0] = 0
    p = weighted_pressure(wx, wy, f)
    still_x, still_y = torch.zeros_like(p[:, :1]), torch.zeros_like(p[:, :, :1])
    flow_x = wx * torch.cat([still_x, p, still_x], 1).diff(dim=1)
    flow_y = wy * torch.cat([still_y, p, still_y], 2).diff(dim=2)
    torch.testing.assert_close(-flow_x.diff(dim=1) - flow_y.diff(dim=2), f, atol=1e-9, rtol=1e-9)
    assert float(p[:, 1, 0].abs().max()) == 0
    f[1, -1, 0] = torch.nan
    spoilt = weighted_pressure(wx, wy, f)
    assert bool(spoilt[1].isnan().all())
    torch.testing.assert_close(spoilt[0], p[0], atol=0, rtol=0)


def test_a_state_that_blows_up_is_no_number_and_spoils_no_other():
    one = channel(12, 8)
    inlet, inflow, solid = one.inlet.repeat(2, 1), one.inflow.repeat(2, 1), one.solid.repeat(2, 1, 1)
    fluids = replace(one, inlet=inlet, inflow=inflow, solid=solid, viscosity=one.viscosity.repeat(2))
    state = torch.cat([stirred(one), stirred(one)])
    state[0, -10] = torch.inf
    states = fluids.march(state, 0.05, 1, 0)
    assert bool(states[0].isnan().any())
    torch.testing.assert_close(states[1:], one.march(stirred(one), 0.05, 1, 0), atol=1e-10, rtol=0)


def test_a_collapsing_column_runs_as_fast_as_measured():
    """Martin and Moyce 1952, a column twice as high as wide: from 2.11 to 3 widths in 0.68 (width / 2 g)^(1/2)."""
    box = Domain([(0.0, 4.0), (0.0, 2.5)], [INLET, PLATES])
    grid = Grid(box, (48, 30))
    x, y = grid.mesh()
    still, mixture = torch.zeros(1, 30).double(), (1.0, 1e-3, 0.02, 0.06, 0.3)
    solid = torch.zeros(1, *grid.shape).bool()
    fluids = TwoFluids(box, (48, 30), still, still + 1, torch.tensor([1e-3]).double(), solid, *mixture)
    state = fluids.begin((torch.sigmoid((1 - x) / 0.06) * torch.sigmoid((2 - y) / 0.06))[None])
    fronts = []
    for time in (1.83 / math.sqrt(2), (2.51 - 1.83) / math.sqrt(2)):
        states = fluids.march(state, time, 1, 0)
        floor = states[0, 3, :, :2].amax(1)
        last = int((floor > 0.5).nonzero().max())
        beyond = (floor[last] - 0.5) / (floor[last] - floor[last + 1])
        fronts.append(float(x[last, 0] + beyond * grid.spacing[0]))
        state = fluids.go_on(states[:, :2], states[:, 3])
    assert fronts[1] - fronts[0] == pytest.approx(3.0 - 2.11, rel=0.08)


def test_a_single_full_cell_loses_what_diffusion_takes():
    eps, grid = 0.1, Grid(Domain([1.0, 1.0]), (12, 9))
    phi = torch.zeros(1, 12, 9).double()
    phi[:, 6, 4] = 1.0
    opened = torch.ones(1, 13, 9).bool(), torch.ones(1, 12, 10).bool()
    fx, fy = sharpening(phi, grid.spacing, eps, opened)
    lost = -(fx.diff(dim=1) / grid.spacing[0] + fy.diff(dim=2) / grid.spacing[1])[0, 6, 4]
    assert float(lost) == pytest.approx(sum(2 * eps / h**2 for h in grid.spacing), rel=1e-9)
    assert float(lost) <= loss(grid.spacing, eps)
