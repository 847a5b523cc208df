import itertools

import pytest
import torch

from vcycle.networks import MgNO
from vcycle.networks.reference_grid import ReferenceGrid
from vcycle.spaces import Domain, Grid

PLANE = Domain([1.0, 2.0], [("dirichlet", "neumann"), "dirichlet"])
TORUS = Domain.unit(2, "periodic")


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("grid", [(8, 12), (16, 24), (11, 23), (4, 5), (5, 30)])
def test_restriction_keeps_integrals_constants_and_the_range(grid):
    u = torch.rand(2, 3, *grid, dtype=torch.float64)
    v = ReferenceGrid(PLANE, (8, 12)).restrict(u)
    assert v.shape == (2, 3, 8, 12)
    close(v.mean((2, 3)), u.mean((2, 3)))
    assert u.amin() - 1e-12 <= v.amin() <= v.amax() <= u.amax() + 1e-12
    close(ReferenceGrid(PLANE, (8, 12)).restrict(torch.ones_like(u)), torch.ones_like(v))


def test_two_cells_become_their_mean_and_one_cell_its_two_halves():
    u = torch.tensor([[[1.0, 3.0, 5.0, 9.0]]])
    line = Domain.unit(1)
    assert ReferenceGrid(line, (2,)).restrict(u).tolist() == [[[2.0, 7.0]]]
    assert ReferenceGrid(line, (8,)).restrict(u).tolist() == [[[1.0, 1.0, 3.0, 3.0, 5.0, 5.0, 9.0, 9.0]]]
    assert ReferenceGrid(line, (4,)).prolong(u, (2,)).tolist() == [[[2.0, 7.0]]]


@pytest.mark.parametrize("placement", ["cell", "vertex"])
@pytest.mark.parametrize("fine", [(16, 24), (31, 47), (9, 12)])
def test_prolongation_is_exact_for_cubics(placement, fine):
    reference = ReferenceGrid(PLANE, (8, 12), placement)

    def cubic(shape: tuple[int, ...]) -> torch.Tensor:
        x, y = Grid(PLANE, shape, placement).mesh()
        return ((x - 0.3) ** 3 * (y**2 - 2 * y**3 + 1))[None, None]

    close(reference.prolong(cubic((8, 12)), fine), cubic(fine))


def test_prolongation_commutes_with_shift_and_scale():
    reference, u = ReferenceGrid(PLANE, (5, 6)), randn(1, 1, 5, 6)
    close(reference.prolong(3 * u - 2, (12, 17)), 3 * reference.prolong(u, (12, 17)) - 2)


@pytest.mark.parametrize("placement", ["cell", "vertex"])
def test_on_periodic_axes_both_commute_with_shifts(placement):
    reference, u, f = ReferenceGrid(TORUS, (4, 6), placement), randn(1, 1, 4, 6), randn(1, 1, 12, 18)
    close(reference.prolong(u.roll(1, 2), (12, 18)), reference.prolong(u, (12, 18)).roll(3, 2))
    close(reference.restrict(f.roll(3, 3)), reference.restrict(f).roll(1, 3))


def test_nested_vertices_keep_their_values():
    reference, u, f = ReferenceGrid(PLANE, (5, 9), "vertex"), randn(1, 1, 5, 9), randn(1, 1, 9, 17)
    close(reference.prolong(u, (9, 17))[..., ::2, ::2], u)
    close(reference.restrict(f), f[..., ::2, ::2])


def test_small_grids_take_polynomials_of_lower_degree():
    line = Domain.unit(1)
    close(ReferenceGrid(line, (1,)).prolong(randn(1, 1, 1) * 0 + 2, (5,)), torch.full((1, 1, 5), 2.0).double())
    three = Grid(line, (3,)).axis(0).square()[None, None]
    close(ReferenceGrid(line, (3,)).prolong(three, (7,)), Grid(line, (7,)).axis(0).square()[None, None])


@pytest.mark.parametrize("domain", [Domain.unit(1), PLANE, TORUS, Domain.unit(3, "neumann")])
def test_a_network_with_a_resolution_is_p_n_r(domain):
    own = (8, 12, 8)[: domain.dimension]
    bare = MgNO(2, 1, width=3, depth=2, levels=2, domain=domain).double()
    network = MgNO(2, 1, width=3, depth=2, levels=2, resolution=own, domain=domain).double()
    network.load_state_dict(bare.state_dict())
    reference = ReferenceGrid(domain, own)
    x = randn(2, 2, *own)
    assert torch.equal(network(x), bare(x))
    for grid in (tuple(2 * n for n in own), tuple(n + 3 for n in own), tuple(n - 3 for n in own)):
        x = randn(2, 2, *grid)
        close(network(x), reference.prolong(bare(reference.restrict(x)), grid))


def test_with_a_resolution_it_converges_as_the_grid_is_refined():
    """One operator on functions: the images of a smooth function draw together at second order, that of averages."""
    network = MgNO(1, 1, width=4, depth=2, resolution=8, domain=PLANE).double()
    images = []
    for n in (16, 32, 64, 128):
        x, y = Grid(PLANE, (n, n)).mesh()
        image = network((torch.sin(3 * x) * torch.cos(2 * y))[None, None])
        images.append(ReferenceGrid(PLANE, (16, 16)).restrict(image))
    gaps = [float((fine - coarse).detach().norm()) for coarse, fine in itertools.pairwise(images)]
    assert gaps[0] > 3.5 * gaps[1] > 3.5 * 3.5 * gaps[2]


def test_levels_follow_the_resolution():
    for resolution, levels in ((16, 3), (32, 4), (33, 4), (64, 5), (85, 5), (128, 6), (211, 6), (421, 7), (3, 1)):
        assert MgNO(1, 1, width=2, depth=1, resolution=resolution).levels == levels
    assert MgNO(1, 1, width=2, depth=1, resolution=(64, 32)).levels == 4
    assert MgNO(1, 1, width=2, depth=1, resolution=64, levels=3).levels == 3


@pytest.mark.parametrize("resolution", [1, (8, 8, 8), (8, 1)])
def test_impossible_resolutions_are_refused(resolution):
    with pytest.raises(ValueError, match="a resolution is one number of points, at least 2, or one for each of 2 axes"):
        MgNO(1, 1, resolution=resolution)
