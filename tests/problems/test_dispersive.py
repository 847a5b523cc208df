"""Advection-diffusion, KdV and Kuramoto-Sivashinsky against reference trajectories and exact solutions."""

import math

import pytest
import torch

from references.trajectories import largest_difference, trajectory
from vcycle.problems import AdvectionDiffusion, KdV, KuramotoSivashinsky
from vcycle.spaces import Domain, Grid

TENSOR = {"velocity": (1.0, -0.5), "diffusivity": ((0.02, 0.005), (0.005, 0.01))}


@pytest.mark.parametrize(
    ("file", "kind", "options", "limit"),
    [
        ("pde_advdiff_1d", AdvectionDiffusion, {}, 1e-14),
        ("pde_advdiff_2d", AdvectionDiffusion, TENSOR, 2e-14),
        ("pde_kdv_1d", KdV, {}, 2.9e-9),
        ("pde_ks_1d_combustion", KuramotoSivashinsky, {"form": "combustion"}, 2.8e-10),
        ("pde_ks_1d_conservative", KuramotoSivashinsky, {}, 5.9e-8),
    ],
)
def test_reference_trajectories(file, kind, options, limit):
    found, expected = trajectory(file, kind, 1, limit / 3, **options)
    assert largest_difference(found, expected) < limit


def test_a_soliton_travels():
    """u = c / 2 sech^2(c^(1/2) (x - c t - x_0) / 2), on a box where its tails are 1e-9."""
    c, T = 4.0, 0.5
    P = KdV(Domain([24.0], "periodic"), time=T, accuracy=1e-7)
    x = Grid(P.domain, (192,)).axis(0)

    def soliton(t: float) -> torch.Tensor:
        return (c / 2 / torch.cosh(math.sqrt(c) / 2 * (x - 10 - c * t)) ** 2)[None, None]

    torch.testing.assert_close(P.solve(soliton(0)).value, soliton(T), rtol=0, atol=1e-6)


def test_kdv_keeps_mean_and_square():
    P = KdV(time=0.2)
    u = P.sample((64,), 0, range(2))
    later = P.solve(u).value
    torch.testing.assert_close(later.mean(2), u.mean(2))
    torch.testing.assert_close(later.square().mean(2), u.square().mean(2), rtol=1e-4, atol=0)


def test_the_slope_of_the_combustion_form_solves_the_conservative_form():
    flame = KuramotoSivashinsky(form="combustion", time=2.0)
    h = flame.sample((64,), 0, [0])
    on = flame.equation_on((64,)).grid
    slope = KuramotoSivashinsky(time=2.0).solve(on.derivative(h, 0)).value
    torch.testing.assert_close(on.derivative(flame.solve(h).value, 0), slope, rtol=0, atol=1e-4)


def test_a_flame_that_is_flat_along_y_is_one_in_one_dimension():
    line = KuramotoSivashinsky(form="combustion", time=2.0)
    u = line.sample((24,), 0, [0])
    plane = KuramotoSivashinsky(Domain([22.0, 10.0], "periodic"), form="combustion", time=2.0)
    found = plane.solve(u[..., None].expand(-1, -1, -1, 8)).value
    torch.testing.assert_close(found, line.solve(u).value[..., None].expand_as(found), rtol=0, atol=1e-5)


def test_waves_turn_and_decay():
    D = ((0.03, 0.01), (0.01, 0.02))
    P = AdvectionDiffusion(Domain([1.0, 2.0], "periodic"), velocity=(1.0, -2.0), diffusivity=D, time=0.3)
    x, y = Grid(P.domain, (12, 16)).mesh()
    k, m = 2 * math.pi * 2, 2 * math.pi / 2

    def wave(t: float) -> torch.Tensor:
        decay = math.exp(-(0.03 * k**2 + 2 * 0.01 * k * m + 0.02 * m**2) * t)
        return (decay * torch.cos(k * (x - t) + m * (y + 2 * t)))[None, None]

    torch.testing.assert_close(P.solve(wave(0)).value, wave(0.3), rtol=0, atol=1e-12)


def test_velocities_and_matrices_that_do_not_fit():
    with pytest.raises(ValueError, match=r"velocity .* does not fit .* give 2 numbers"):
        AdvectionDiffusion(Domain.unit(2, "periodic"))
    with pytest.raises(ValueError, match="neither a number >= 0 nor a symmetric"):
        AdvectionDiffusion(diffusivity=-0.1)
    with pytest.raises(ValueError, match="positive semi-definite 2 x 2 matrix"):
        AdvectionDiffusion(Domain.unit(2, "periodic"), velocity=(1.0, 0.0), diffusivity=((1.0, 2.0), (2.0, 1.0)))
