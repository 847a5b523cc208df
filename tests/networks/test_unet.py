import pytest
import torch

from vcycle.networks import UNet
from vcycle.operators import Prolongation, Stencil, count_parameters
from vcycle.spaces import Domain

SMALL = {"width": 4, "levels": 3, "multiplier": 1.5}
MIXED = Domain([1.0, 1.0], ["periodic", ("dirichlet", "neumann")])


def stencil(source: int, target: int, kernel: int = 3, *, bias: bool = True) -> int:
    return kernel**2 * source * target + (target if bias else 0)


def chain(source: int, target: int, blocks: int) -> int:
    """Two stencil layers with norms per block, and a matrix with bias around the first."""
    norms = 4 * target * blocks
    stencils = stencil(source, target) + (2 * blocks - 1) * stencil(target, target)
    return stencils + norms + stencil(source, target, 1)


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_number_of_parameters(blocks):
    widths = (8, 12, 18)
    expected = stencil(2, 8) + stencil(8, 3, 1) + sum(chain(n, n, blocks) for n in widths)
    for fine, coarse in ((8, 12), (12, 18)):
        expected += stencil(fine, coarse) + stencil(coarse, fine, 4, bias=False) + chain(2 * fine, fine, blocks)
    network = UNet(2, 3, width=8, levels=3, multiplier=1.5, blocks=blocks)
    assert network.widths == widths
    assert count_parameters(network) == expected


def test_the_defaults_have_about_the_parameters_of_the_other_networks():
    assert 5e5 < count_parameters(UNet(1, 1)) < 7e5


def test_one_level_is_a_residual_network():
    network = UNet(1, 1, width=4, levels=1, blocks=3)
    assert not any(isinstance(module, Prolongation) for module in network.modules())
    assert network(torch.randn(1, 1, 5, 7)).shape == (1, 1, 5, 7)


@pytest.mark.parametrize("shape", [(16, 16), (15, 17), (7, 30), (1, 9), (3, 2)])
@pytest.mark.parametrize("domain", [Domain.unit(2), Domain.unit(2, "periodic"), MIXED], ids=str)
def test_any_number_of_points_will_do(domain, shape):
    network = UNet(1, 2, **SMALL, domain=domain)
    assert network(torch.randn(2, 1, *shape)).shape == (2, 2, *shape)


@pytest.mark.parametrize(("d", "shape"), [(1, (13,)), (3, (5, 6, 7))])
def test_odd_sizes_in_one_and_three_dimensions(d, shape):
    network = UNet(1, 1, **SMALL, domain=Domain.unit(d, "neumann"))
    assert network(torch.randn(1, 1, *shape)).shape == (1, 1, *shape)


def test_the_stencils_of_all_levels_see_the_boundary_conditions():
    kinds = {type(module): set() for module in UNet(1, 1, **SMALL).modules()}
    for module in UNet(1, 1, **SMALL, domain=MIXED).modules():
        if isinstance(module, Stencil | Prolongation):
            kinds[type(module)].add(module.faces)
    assert kinds[Stencil] == kinds[Prolongation] == {(("circular", "circular"), ("zeros", "replicate"))}


@pytest.mark.parametrize("norm", ["layer", "group", "instance", None])
def test_on_periodic_domains_it_commutes_with_shifts_by_a_coarsest_cell_and_with_no_less(norm):
    torch.manual_seed(1)
    network = UNet(1, 1, **SMALL, norm=norm, coordinates=None, domain=Domain.unit(2, "periodic")).double()
    x = torch.randn(1, 1, 16, 24, dtype=torch.float64)
    y = network(x).detach()
    for shift, commutes in (((4, 0), True), ((0, 4), True), ((1, 0), False), ((0, 2), False)):
        defect = (network(x.roll(shift, (2, 3))) - y.roll(shift, (2, 3))).detach().abs().max() / y.abs().max()
        assert (float(defect) < 1e-12) == commutes, shift


def test_on_the_periodic_axis_alone():
    network = UNet(1, 1, **SMALL, domain=MIXED).double()
    x = torch.randn(1, 1, 16, 11, dtype=torch.float64)
    torch.testing.assert_close(network(x.roll(4, 2)), network(x).roll(4, 2), rtol=0, atol=1e-13)


def test_coordinates_break_the_symmetry():
    network = UNet(1, 1, **SMALL, coordinates="cells", domain=Domain.unit(2, "periodic")).double()
    x = torch.randn(1, 1, 16, 16, dtype=torch.float64)
    assert not torch.allclose(network(x.roll(4, 2)), network(x).roll(4, 2), rtol=0, atol=1e-4)


def test_points_far_away_do_not_matter_to_one_level():
    """A chain of one block sees two points beyond its own, the lifting stencil one."""
    network = UNet(1, 1, width=4, levels=1).double()
    x = torch.randn(1, 1, 16, 16, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 8, 8], x)
    assert gradient[0, 0].nonzero().aminmax(dim=0).min.tolist() == [5, 5]
    assert gradient[0, 0].nonzero().aminmax(dim=0).max.tolist() == [11, 11]


def test_reflections_need_a_neighbour_on_the_coarsest_grid():
    network = UNet(1, 1, **SMALL, ghost="reflect")
    assert network(torch.randn(1, 1, 5, 6)).shape == (1, 1, 5, 6)
    with pytest.raises(ValueError, match="needs 5 points or more along every axis"):
        network(torch.randn(1, 1, 4, 6))


@pytest.mark.parametrize("options", [{"width": 2, "multiplier": 0.2}, {"levels": 0}])
def test_levels_without_channels_are_refused(options):
    with pytest.raises(ValueError, match="expected one level or more with 1 channel or more on each"):
        UNet(1, 1, **options)


@pytest.mark.parametrize("domain", [Domain.unit(1, "periodic"), MIXED, Domain.unit(3, "neumann")], ids=str)
def test_it_leaves_python_whatever_the_boundary(domain):
    network = UNet(1, 2, width=2, levels=2, multiplier=1.5, domain=domain).eval()
    x = torch.randn(1, 1, *(5, 4, 6)[: domain.dimension])
    program = torch.export.export(network, (x,))
    torch.testing.assert_close(program.module()(x), network(x), rtol=1e-5, atol=1e-6)
