"""Modes of boxes with walls: derivatives, products, mirror images, and oscillations."""

import math

import pytest
import torch

from references.cases import BOUNDARIES, domain
from vcycle.solvers import BoxGrid, FourierGrid, fitting_grid, image_domain, oscillate, with_images, without_images
from vcycle.spaces import Basis, Domain, Grid


def mode(box: Domain, shape: tuple[int, ...], index: int) -> tuple[torch.Tensor, float]:
    """One mode of a box on its cells, and the sum of its squared wavenumbers."""
    counts = (index + 1,) * box.dimension
    c = torch.zeros(counts, dtype=torch.float64)
    c[(index,) * box.dimension] = 1.0
    return Basis(box).synthesise(c, shape), float(Basis(box).laplacian(counts)[(index,) * box.dimension])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_laplacian_of_modes_is_exact(boundary, dimension):
    box, shape = domain(dimension, boundary), (9, 8, 10)[:dimension]
    u, square = mode(box, shape, 4)
    grid = BoxGrid(box, shape)
    torch.testing.assert_close(grid.inverse(grid.laplacian * grid.transform(u)), -square * u)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_images_continue_modes_to_modes_of_the_periodic_box(boundary):
    """A mode with its images is an eigenfunction of the periodic Laplacian, so nothing kinks at the walls."""
    box, shape = domain(2, boundary), (8, 9)
    u, square = mode(box, shape, 3)
    whole = with_images(u[None, None], box)
    grid = FourierGrid(image_domain(box), tuple(whole.shape[2:]))
    torch.testing.assert_close(grid.inverse(grid.laplacian * grid.transform(whole)), -square * whole)
    torch.testing.assert_close(without_images(whole, box)[0, 0], u)


@pytest.mark.parametrize("faces", ["neumann", "dirichlet", ("neumann", "dirichlet"), "periodic"])
@pytest.mark.parametrize("n", [12, 13, 15, 16])
def test_resolved_modes_are_those_of_the_periodic_box(faces, n):
    """The 2/3 rule with walls is the 2/3 rule of the mirror images."""
    box = Domain([1.0], [faces])
    u = torch.rand(1, 1, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = with_images(u, box)
    on, around = BoxGrid(box, (n,)), FourierGrid(image_domain(box), tuple(whole.shape[2:]))
    cut = around.inverse(around.transform(whole) * around.resolved)
    torch.testing.assert_close(on.inverse(on.transform(u) * on.resolved), without_images(cut, box))


def test_the_fitting_grid():
    assert isinstance(fitting_grid(Domain.unit(2, "periodic"), (4, 4)), FourierGrid)
    assert isinstance(fitting_grid(Domain.unit(2, ["periodic", "neumann"]), (4, 4)), BoxGrid)
    with pytest.raises(ValueError, match="one number of points per axis"):
        BoxGrid(Domain.unit(2), (4,))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_oscillations_are_exact(boundary):
    """h = cos(omega t) phi, and a mode without restoring force moves evenly."""
    box, shape, t = domain(2, boundary), (8, 9), 0.37
    phi, square = mode(box, shape, 3)
    grid, omega = fitting_grid(box, shape), math.sqrt(square)
    start = torch.stack([phi, 2 * phi])[None]
    h, v = oscillate(grid, grid.laplacian, start, t / 2, 2)[0, 2:]
    cosine, sine = math.cos(omega * t), math.sin(omega * t)
    torch.testing.assert_close(h, (cosine + 2 * sine / omega) * phi)
    torch.testing.assert_close(v, (2 * cosine - omega * sine) * phi)
    if box.floating:
        drifting = torch.tensor([1.0, 3.0], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, *shape)
        moved = oscillate(grid, grid.laplacian, drifting, t, 1)
        torch.testing.assert_close(moved[:, :1], torch.full_like(drifting[:, :1], 1 + 3 * t))


def test_points_of_images_are_cells_of_the_periodic_box():
    box = Domain([(1.0, 2.0)], [("neumann", "dirichlet")])
    x = Grid(box, (4,)).axis(0)
    torch.testing.assert_close(Grid(image_domain(box), (16,)).axis(0)[:4], x)
