"""V-cycles on grids of any size: each coarse grid has half the points, rounded up."""

import pytest
import torch

from vcycle.networks import Cycle, MgNO
from vcycle.networks.authors_mgno import SMOOTH_PROLONGATIONS
from vcycle.operators import Multigrid
from vcycle.spaces import Domain, Space

MIXED = [("dirichlet", "neumann"), "periodic", "neumann"]


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("grid", [(33, 33), (63, 85), (101, 32), (13, 211), (421, 5)])
@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic", MIXED[:2]])
def test_every_size_runs(grid, boundary):
    network = MgNO(1, 2, width=2, depth=1, levels=4, domain=Domain.unit(2, boundary))
    assert network(torch.randn(1, 1, *grid)).shape == (1, 2, *grid)


@pytest.mark.parametrize("ghost", ["zeros", "circular", "reflect", "replicate", None])
@pytest.mark.parametrize("grid", [(5,), (9,), (6, 7), (5, 9), (5, 6, 7)])
def test_down_to_the_smallest_grids(grid, ghost):
    domain = Domain.unit(len(grid), MIXED[: len(grid)])
    network = MgNO(1, 1, width=2, depth=1, levels=3, residual=True, ghost=ghost, domain=domain)
    assert network(torch.randn(1, 1, *grid)).isfinite().all()


@pytest.mark.parametrize(("ghost", "least"), [(None, 5), ("reflect", 9)])
def test_smaller_ones_are_refused(ghost, least):
    network = MgNO(1, 1, width=2, depth=1, levels=4, ghost=ghost, domain=Domain.unit(1))
    network(torch.randn(1, 1, least))
    sentence = rf"halves the grid 3 times, so every axis needs {least} points or more, got \({least - 1},\): take fewer"
    with pytest.raises(ValueError, match=sentence):
        network(torch.randn(1, 1, least - 1))


def test_p_with_a_zero_last_entry_is_the_published_kernel_for_odd_grids():
    """211 points from 106 from 53 from 27 from 14 from 7: kernels of 3 and 4 points are both inside the 4-point one."""
    space, steps = Space(Domain.unit(1), 2), ((1, 0),) * 5 + ((2, 0),)
    published = Cycle(steps, ghost="zeros", prolongation_ghost="zeros", prolongations=SMOOTH_PROLONGATIONS)
    theirs = published.build(space, space).double()
    ours = Cycle(steps, ghost="zeros", prolongation_ghost="zeros").build(space, space).double()
    state = theirs.state_dict()
    for name, value in ours.state_dict().items():
        if value.shape != state[name].shape:
            state[name] = torch.cat([state[name], torch.zeros_like(value[..., :1])], -1)
    ours.load_state_dict(state)
    f = randn(1, 2, 211)
    torch.testing.assert_close(ours(f), theirs(f), rtol=0, atol=1e-14)


def symmetric(W: Multigrid) -> Multigrid:
    """W with stencils that look the same in a mirror; those of P around the coarse point, of which 2^k + 1 keep all."""
    for name, parameter in W.named_parameters():
        centred = parameter.data[..., :3] if ".P." in name else parameter.data
        centred.copy_((centred + centred.flip(-1)) / 2)
        if ".P." in name:
            parameter.data[..., 3] = 0
    return W


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann"])
@pytest.mark.parametrize("options", [{}, {"residual": True, "start": "zero", "gamma": 2}], ids=["released", "textbook"])
def test_grids_of_2_to_the_k_plus_1_points_keep_mirrors(boundary, options):
    """Every second point of an odd grid lies the same from both ends; of an even grid it does not."""
    space = Space(Domain.unit(1, boundary), 3)
    W = symmetric(Cycle(((1, 1), (1, 0), (1, 0), (2, 0)), **options).build(space, space).double())
    f = randn(1, 3, 33)
    torch.testing.assert_close(W(f.flip(-1)), W(f).flip(-1), rtol=0, atol=1e-14)
    f = randn(1, 3, 32)
    assert not torch.allclose(W(f.flip(-1)), W(f).flip(-1))


@pytest.mark.parametrize("odd", [9, 12])
def test_shifts_along_an_even_periodic_axis_survive_another_odd_axis(odd):
    network = MgNO(1, 1, width=3, depth=2, levels=3, coordinates=None, domain=Domain.unit(2, "periodic")).double()
    u = randn(1, 1, 16, odd)
    torch.testing.assert_close(network(u.roll(4, 2)), network(u).roll(4, 2), rtol=0, atol=1e-14)


def test_a_p_that_returns_too_few_points_is_refused():
    space = Space(Domain.unit(1))
    W = Cycle(((1, 0), (2, 0)), prolongations=((3, 1),)).build(space, space)
    with pytest.raises(ValueError, match=r"P returns \(7,\) points for a grid of \(8,\): choose another kernel"):
        W(torch.randn(1, 1, 8))
