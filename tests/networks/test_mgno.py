import pytest
import torch
import torch.nn.functional as F

from vcycle.networks import MgNO
from vcycle.operators import count_parameters
from vcycle.spaces import Domain, Grid


@pytest.mark.parametrize(
    ("channels", "options", "published"),
    [
        (1, {"depth": 4, "levels": 6}, 572_661),  # rough and multiscale Darcy
        (3, {"depth": 4, "levels": 6}, 578_685),
        (2, {"depth": 5, "iterations": [(1, 0)] * 4 + [(1, 1), (2, 0)]}, 783_876),  # pipe
        (1, {"depth": 5, "iterations": [(1, 0)] * 3 + [(2, 0)] * 2}, 645_828),
        (1, {"depth": 4, "width": 12, "levels": 4}, 91_359),
    ],
)
def test_parameters_are_the_published_number(channels, options, published):
    assert count_parameters(MgNO(channels, 1, **options)) == published


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
def test_fields_in_fields_out(dimension, boundary):
    network = MgNO(2, 3, width=4, depth=2, levels=2, domain=Domain.unit(dimension, boundary))
    shape = (4, 6, 8)[:dimension]
    out = network(torch.randn(5, 2, *shape))
    assert out.shape == (5, 3, *shape)
    assert out.is_contiguous()


def test_one_layer_is_the_formula():
    """sigma(W u + B u), then the head."""
    network = MgNO(1, 1, width=3, depth=1, levels=1, activation="tanh").double()
    u = torch.randn(2, 1, 6, 6, dtype=torch.float64)
    p = dict(network.named_parameters())
    S, A = p["neurons.0.W.levels.0.pre.0.S.weight"], p["neurons.0.W.levels.0.pre.1.A.weight"]
    w = F.conv2d(u, S, padding=1)
    w = w + F.conv2d(u - F.conv2d(w, A, padding=1), p["neurons.0.W.levels.0.pre.1.S.weight"], padding=1)
    b = F.conv2d(u, p["neurons.0.B.weight"][..., None, None], p["neurons.0.B.bias"])
    expected = F.conv2d(torch.tanh(w + b), p["head.weight"][..., None, None])
    torch.testing.assert_close(network(u), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("axis", [2, 3])
def test_on_a_periodic_domain_it_commutes_with_shifts_of_a_coarse_cell(axis):
    network = MgNO(2, 1, width=4, depth=2, levels=3, coordinates=None, domain=Domain.unit(2, "periodic")).double()
    u = torch.randn(1, 2, 16, 8, dtype=torch.float64)
    torch.testing.assert_close(network(u.roll(4, axis)), network(u).roll(4, axis), rtol=0, atol=1e-14)
    assert not torch.allclose(network(u.roll(1, axis)), network(u).roll(1, axis))


def test_zeros_beyond_the_boundary_break_the_shift():
    """What P0 does whatever the boundary condition."""
    network = MgNO(
        2, 1, width=4, depth=2, levels=3, ghost="zeros", coordinates=None, domain=Domain.unit(2, "periodic")
    ).double()
    u = torch.randn(1, 2, 16, 8, dtype=torch.float64)
    assert not torch.allclose(network(u.roll(4, 2)), network(u).roll(4, 2))


def test_neumann_networks_map_constants_to_constants():
    """Repeated boundary values: no point can tell where the boundary is, up to the parity of the grid."""
    network = MgNO(1, 1, width=4, depth=2, levels=1, domain=Domain.unit(2, "neumann")).double()
    out = network(torch.ones(1, 1, 8, 8, dtype=torch.float64))
    torch.testing.assert_close(out, out[..., :1, :1].expand_as(out), rtol=0, atol=1e-14)


def test_the_same_weights_run_at_other_resolutions():
    network = MgNO(1, 1, width=4, depth=2, levels=3)
    assert network(torch.randn(1, 1, 16, 16)).shape == (1, 1, 16, 16)
    assert network(torch.randn(1, 1, 32, 48)).shape == (1, 1, 32, 48)


def test_every_parameter_matters():
    network = MgNO(1, 1, width=3, depth=2, levels=3, residual=True)
    network(torch.randn(2, 1, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and float(p.grad.abs().max()) > 0 for p in network.parameters())


ANY = {
    "textbook": {"residual": True, "start": "zero", "gamma": 2, "shared": "steps"},
    "small": {"shared": "levels", "gamma": 2},
    "carried": {"resolution": 8, "exact_boundary": True},
    "vertices": {"resolution": 9, "exact_boundary": True, "placement": "vertex", "ghost": "reflect"},
}


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("options", ANY.values(), ids=ANY)
def test_every_option_works_in_every_dimension_and_exports(dimension, options):
    domain = Domain([1.0, 2.0, 1.0][:dimension], [("dirichlet", "neumann"), "periodic", "neumann"][:dimension])
    network = MgNO(2, 1, width=3, depth=1, **{"levels": 2, **options}, domain=domain)
    x = torch.randn(2, 2, *(12, 9, 10)[:dimension])
    y = network(x)
    assert y.shape == (2, 1, *x.shape[2:])
    assert y.isfinite().all()
    exported = torch.export.export(network, (x,)).module()(x)
    torch.testing.assert_close(exported, y, rtol=1e-5, atol=1e-6)


def test_on_vertices_the_boundary_values_are_exact():
    domain = Domain.unit(2, ["dirichlet", ("neumann", "dirichlet")])
    network = MgNO(1, 1, width=3, depth=2, levels=2, exact_boundary=True, placement="vertex", domain=domain)
    u = network(torch.randn(2, 1, 9, 12))
    assert u[:, :, 0].abs().max() == u[:, :, -1].abs().max() == u[:, :, :, -1].abs().max() == 0
    assert u[:, :, 1:-1, 0].abs().min() > 0  # the Neumann face is free


def test_on_cells_the_boundary_values_are_exact_to_second_order():
    """The straight line through the two outermost cell values, at the face; an operator that refines is needed."""
    network = MgNO(1, 1, width=4, depth=2, resolution=8, exact_boundary=True).double()
    traces = []
    for n in (32, 64, 128):
        x, y = Grid(Domain.unit(2), (n, n)).mesh()
        u = network((torch.sin(3 * x) * torch.cos(2 * y))[None, None])
        traces.append(float((1.5 * u[:, :, 0] - 0.5 * u[:, :, 1]).detach().abs().max()))
    assert traces[0] > 3 * traces[1] > 9 * traces[2] > 0


def test_periodic_and_neumann_faces_are_left_alone():
    for boundary in ("periodic", "neumann"):
        free, exact = (
            MgNO(1, 1, width=3, depth=1, levels=2, exact_boundary=b, domain=Domain.unit(2, boundary))
            for b in (False, True)
        )
        exact.load_state_dict(free.state_dict())
        x = torch.randn(1, 1, 8, 8)
        assert torch.equal(free(x), exact(x))


def test_errors_say_what_to_do():
    network = MgNO(1, 1, width=2, depth=1, levels=4)
    with pytest.raises(ValueError, match=r"every axis needs 5 points or more, got \(33, 4\): take fewer levels"):
        network(torch.zeros(1, 1, 33, 4))
    with pytest.raises(ValueError, match="takes 1 input channels, got 2"):
        network(torch.zeros(1, 2, 32, 32))
    with pytest.raises(ValueError, match=r"got levels=3 but iterations for 2 levels"):
        MgNO(1, 1, levels=3, iterations=[(1, 0), (2, 0)])
    with pytest.raises(ValueError, match=r"pairs \(pre, post\)"):
        MgNO(1, 1, iterations=[(1,), (2,)])


def test_its_repr_states_levels_width_and_parameters():
    assert "levels=6, width=24, 572661 parameters" in repr(MgNO(1, 1, levels=6))
