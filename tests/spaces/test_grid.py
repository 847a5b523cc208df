"""Points, spacings and quadrature of the two placements."""

import math

import pytest
import torch

from vcycle.spaces import Domain, Grid

DOMAIN = Domain([(-1.0, 1.0), (0.5, 2.0)], ["periodic", ("dirichlet", "neumann")])


@pytest.mark.parametrize("placement", ["cell", "vertex"])
def test_weights_sum_to_the_volume(placement):
    assert Grid(DOMAIN, (6, 5), placement).weights().sum().item() == pytest.approx(3.0, rel=1e-14)


def test_cells_lie_between_vertices():
    cells, vertices = Grid(DOMAIN, (6, 4)), Grid(DOMAIN, (6, 5), "vertex")
    assert cells.spacing == pytest.approx(vertices.spacing)
    torch.testing.assert_close(cells.axis(1), (vertices.axis(1)[1:] + vertices.axis(1)[:-1]) / 2)
    assert vertices.axis(1)[[0, -1]].tolist() == [0.5, 2.0]
    assert vertices.axis(0)[-1] < 1.0  # the periodic axis does not repeat its first point


@pytest.mark.parametrize("placement", ["cell", "vertex"])
def test_quadrature_converges_at_order_two(placement):
    def error(n: int) -> float:
        grid = Grid(DOMAIN, (n, n + 1), placement)
        x, y = grid.mesh()
        integral = ((2 + torch.cos(math.pi * x)) * torch.exp(y) * grid.weights()).sum().item()
        return abs(integral - 4 * (math.exp(2.0) - math.exp(0.5)))

    assert error(32) < 0.27 * error(16)


def test_mesh_is_indexed_by_axis():
    x, y = Grid(DOMAIN, (3, 4)).mesh()
    assert x.shape == y.shape == (3, 4)
    assert (x[:, 0] == x[:, 3]).all() and (y[0] == y[2]).all()


def test_a_shape_of_another_dimension_is_refused():
    with pytest.raises(ValueError, match="one number of points per axis"):
        Grid(DOMAIN, (4,))


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="2 or more vertices"):
        Grid(DOMAIN, (4, 1), "vertex")
    with pytest.raises(ValueError, match="1 or more cells"):
        Grid(DOMAIN, (0, 1))
