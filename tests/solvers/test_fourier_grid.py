"""Fourier calculus: derivatives of waves, inverse Laplacian, and products by the 2/3 rule."""

import math

import pytest
import torch

from vcycle.solvers import FourierGrid
from vcycle.spaces import Domain, Grid

BOX = Domain([(-1.0, 1.0), 3.0, 2.0], "periodic")


@pytest.mark.parametrize("shape", [(8, 9, 10), (9, 8, 7)])
def test_derivatives_of_waves_are_exact(shape):
    grid = FourierGrid(BOX, shape)
    points = Grid(BOX, shape).mesh()
    k = [2 * math.pi * m / length for m, length in zip((1, -2, 3), BOX.lengths, strict=True)]
    phase = sum(a * x for a, x in zip(k, points, strict=True))
    for axis in range(3):
        torch.testing.assert_close(grid.derivative(phase.sin(), axis), k[axis] * phase.cos())
        torch.testing.assert_close(grid.derivative(phase.sin(), axis, 2), -(k[axis] ** 2) * phase.sin())
    u_hat = grid.transform(phase.sin())
    size = sum(a**2 for a in k)
    torch.testing.assert_close(grid.inverse(grid.laplacian * u_hat), -size * phase.sin())
    torch.testing.assert_close(grid.inverse(grid.inverse_laplacian * u_hat), phase.sin() / size)


@pytest.mark.parametrize("n", [12, 13, 15, 16])
def test_products_of_resolved_functions_have_no_aliases(n):
    grid, fine = (FourierGrid(Domain.unit(1, "periodic"), (m,)) for m in (n, 4 * n))
    k = int(grid.resolved.sum()) - 1
    assert 3 * k < n <= 3 * (k + 1)
    u = [torch.cos(2 * math.pi * k * torch.arange(m, dtype=torch.float64) / m) for m in (n, 4 * n)]
    product, exact = grid.transform(u[0] ** 2) / n, fine.transform(u[1] ** 2) / (4 * n)
    torch.testing.assert_close(product[: k + 1], exact[: k + 1])


def test_odd_derivatives_of_the_wave_at_the_grid_frequency_vanish():
    grid = FourierGrid(Domain.unit(1, "periodic"), (8,))
    wave = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64)
    assert grid.derivative(wave, 0).abs().max() == 0
    torch.testing.assert_close(grid.derivative(wave, 0, 2), -((8 * math.pi) ** 2) * wave)


def test_other_boxes_are_refused():
    with pytest.raises(ValueError, match="periodic along every axis"):
        FourierGrid(Domain.unit(2, ["periodic", "neumann"]), (8, 8))
    with pytest.raises(ValueError, match="one number of points per axis"):
        FourierGrid(Domain.unit(2, "periodic"), (8,))
