"""DeepONet: one space for all images, exact boundary values, any points, any resolution."""

import pytest
import torch

from vcycle.networks import DeepONet, MultiONet
from vcycle.networks.sensors import Sensors
from vcycle.spaces import Domain, GaussianField

MIXED = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])
SMALL = {"width": 16, "sensors": 4}
DEEP = SMALL | {"rank": 8, "branch_depth": 2, "trunk_depth": 2}
KINDS = [(DeepONet, DEEP), (MultiONet, SMALL | {"depth": 2, "layers": 2})]
kinds = pytest.mark.parametrize(("kind", "options"), KINDS, ids=lambda value: getattr(value, "__name__", ""))


def smooth(shape: tuple[int, ...], channels: int = 2, batch: int = 3) -> torch.Tensor:
    """The same functions at every resolution."""
    field = GaussianField(MIXED, alpha=4.0, modes=4)
    return field.sample(shape, 5, range(channels * batch)).reshape(batch, channels, *shape)


def grid(shape: tuple[int, int]) -> torch.Tensor:
    """The cell centres of MIXED, a list."""
    x, y = ((torch.arange(n, dtype=torch.float64) + 0.5) / n for n in shape)
    return torch.cartesian_prod(2 * x, y)


def test_images_lie_in_a_space_of_dimension_rank():
    network = DeepONet(2, 1, **DEEP, domain=MIXED).double()
    images = network(torch.randn(40, 2, 9, 8, dtype=torch.float64)).detach().flatten(1)
    assert int(torch.linalg.matrix_rank(images - network.trunk.offset.detach(), rtol=1e-10)) == 8


def test_output_channels_have_functions_of_their_own():
    network = DeepONet(2, 3, **DEEP | {"width": 32}, domain=MIXED).double()
    offset, functions = network.trunk(torch.rand(1, 2, 9, 8, dtype=torch.float64))
    assert offset.shape == (3, 9, 8)
    assert int(torch.linalg.matrix_rank(functions.detach().flatten(0, 1).flatten(1), rtol=1e-10)) == 24


@kinds
@pytest.mark.parametrize("gated", [False, True])
def test_with_a_mask_boundary_values_are_zero_for_any_weights(kind, options, gated):
    network = kind(2, 3, **options, mask=True, gated=gated, domain=MIXED).double()
    for p in network.parameters():
        torch.nn.init.normal_(p)
    faces = torch.tensor([[0.0, 0.1], [0.0, 0.9], [2.0, 0.1], [1.0, 0.0]], dtype=torch.float64)
    u = network.at(torch.randn(4, 2, 8, 8, dtype=torch.float64), faces).detach()
    assert float(u[..., :2].abs().max()) == 0  # Dirichlet
    assert float(u[..., 2:].abs().min()) > 0  # Neumann and inside


@kinds
def test_with_a_mask_vertices_on_the_boundary_are_zero(kind, options):
    network = kind(1, 1, **options, mask=True, coordinates="ends")
    u = network(torch.randn(2, 1, 9, 9)).detach()
    edge = torch.cat([u[..., 0, :], u[..., -1, :], u[..., 0], u[..., -1]], -1)
    assert float(edge.abs().max()) == 0
    assert float(u[..., 1:-1, 1:-1].abs().min()) > 0


@kinds
def test_at_the_points_of_a_grid_it_gives_the_values_on_the_grid(kind, options):
    network = kind(2, 3, **options, domain=MIXED).double()
    x = torch.randn(2, 2, 8, 6, dtype=torch.float64)
    torch.testing.assert_close(network.at(x, grid((8, 6))).unflatten(-1, (8, 6)), network(x))


@kinds
def test_the_same_function_comes_out_at_every_resolution(kind, options):
    network = kind(2, 1, **options, domain=MIXED).double()
    points = grid((8, 8))
    exact = network.at(smooth((256, 256)), points).detach()
    errors = [float((network.at(smooth((n, n)), points) - exact).detach().abs().max()) for n in (8, 16, 32)]
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3


def test_sensors_average():
    sensors = Sensors(Domain.unit(2), 1, 2)
    x = torch.randn(3, 1, 8, 6, dtype=torch.float64)
    averages = torch.nn.functional.avg_pool2d(x, (4, 3)).flatten(1)
    torch.testing.assert_close(sensors(x)[..., 0, 0], averages)
    # A coefficient does not vanish on Dirichlet faces: a constant stays one, on coarser grids as well.
    torch.testing.assert_close(Sensors(Domain.unit(2), 1, 8)(torch.ones(1, 1, 3, 5)), torch.ones(1, 64, 1, 1))


def test_multionet_with_one_layer_is_a_deeponet():
    """P111: l = 1, weights 1; the DeepONet whose last matrices are identities."""
    options = SMALL | {"features": 2}
    multi = MultiONet(2, 1, **options, depth=3, layers=1, start=1.0, domain=MIXED).double()
    deep = DeepONet(2, 1, **options, rank=16, branch_depth=3, trunk_depth=3, domain=MIXED).double()
    deep.branch.load_state_dict(multi.branch.state_dict())
    deep.trunk.functions.hidden.load_state_dict(multi.trunk.state_dict())
    with torch.no_grad():
        for head in (deep.head, deep.trunk.functions.head):
            head.weight.copy_(torch.eye(16))
            head.bias.zero_()
        for offset in (deep.trunk.offset, multi.offset):
            offset.fill_(0.7)
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(multi(x), deep(x), rtol=1e-12, atol=1e-12)


def test_multionet_averages_its_layers():
    torch.manual_seed(0)
    network = MultiONet(2, 1, **SMALL, depth=3, layers=2, start=1.0, domain=MIXED).double()
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    alone = []
    for layer in range(2):
        with torch.no_grad():
            network.weight.zero_()[:, layer] = 1
        alone.append(network(x).detach())
    with torch.no_grad():
        network.weight.fill_(1)
    torch.testing.assert_close(network(x), alone[0] + alone[1])


def test_multionet_can_start_from_zero():
    """As released: the output is 0, and the first gradient moves weights and offset only."""
    network = MultiONet(2, 1, **SMALL, start=0.0, domain=MIXED)
    u = network(torch.randn(3, 2, 8, 8))
    assert float(u.detach().abs().max()) == 0
    (u - 1).square().sum().backward()
    moved = {name for name, p in network.named_parameters() if float(p.grad.abs().max()) > 0}
    assert moved == {"weight", "offset"}


def test_parameters_at_the_defaults():
    assert sum(p.numel() for p in DeepONet(1, 1).parameters()) == 399_617
    assert sum(p.numel() for p in MultiONet(1, 1).parameters()) == 466_177


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        (DeepONet, {"trunk": "pod", "mask": True}, "takes no mask: set mask=False"),
        (DeepONet, {"trunk_depth": 0}, "one hidden layer or more"),
        (MultiONet, {"depth": 2, "layers": 3}, "the last 1 to 2 of its 2 layers, got layers=3"),
        (MultiONet, {"layers": 0}, "got layers=0"),
    ],
)
def test_what_cannot_be_is_refused(kind, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(1, 1, **options)
