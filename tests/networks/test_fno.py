import copy
import itertools

import pytest
import torch

from vcycle.networks import FNO
from vcycle.operators import count_parameters
from vcycle.spaces import Domain


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("boundary", ["dirichlet", "periodic"])
def test_fields_in_fields_out(dimension, boundary):
    network = FNO(2, 3, width=6, depth=2, modes=4, domain=Domain.unit(dimension, boundary))
    shape = (6, 8, 10)[:dimension]
    assert network(torch.randn(5, 2, *shape)).shape == (5, 3, *shape)


@pytest.mark.parametrize(
    "options",
    [
        {"modes": (5, 6)},
        {"coordinates": None},
        {"coordinates": "corners"},
        {"padding": 0.25},
        {"padding": (0.2, 0.0)},
        {"basis": "domain"},
        {"basis": "cosine", "separable": True},
        {"basis": "sine", "factorization": "cp"},
        {"factorization": "tucker"},
        {"factorization": "tt", "rank": (2, 3, 2)},
        {"skip": "identity", "mlp_skip": "linear"},
        {"skip": None, "mlp_skip": None},
        {"skip": "gating", "mlp_skip": "identity"},
        {"skip_kernel": 3},
        {"mlp_expansion": None},
        {"norm": "group", "norm_groups": 2},
        {"norm": "instance"},
        {"norm": "batch", "preactivation": True},
        {"stabilizer": True, "separable": True},
        {"activation": "tanh", "lifting_ratio": 1.5, "projection_ratio": 3.0, "dropout": 0.1},
    ],
    ids=str,
)
def test_every_option_does_something_and_every_parameter_matters(options):
    torch.manual_seed(0)
    plain = FNO(1, 1, width=4, depth=2, modes=4)
    torch.manual_seed(0)
    network = FNO(1, 1, width=4, depth=2, **{"modes": 4, **options})
    x = torch.randn(3, 1, 8, 12)
    assert not torch.equal(network(x), plain(x))
    network(x).pow(3).sum().backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None]
    assert silent == []


@pytest.mark.parametrize("basis", ["fourier", "domain"])
def test_without_coordinates_it_commutes_with_every_shift(basis):
    options = {"width": 6, "depth": 3, "modes": 6, "coordinates": None, "basis": basis}
    network = FNO(2, 1, **options, domain=Domain.unit(2, "periodic")).double()
    u = torch.randn(2, 2, 9, 12, dtype=torch.float64)
    shifted = u.roll((2, 5), (2, 3))
    torch.testing.assert_close(network(shifted), network(u).roll((2, 5), (2, 3)), rtol=0, atol=1e-13)


def test_a_smooth_function_has_one_image_at_all_resolutions():
    """Up to aliasing of the activation, which falls fast with the resolution."""
    torch.manual_seed(1)
    network = FNO(1, 1, width=6, depth=2, modes=4, coordinates=None, domain=Domain.unit(1, "periodic")).double()
    images = []
    for n in (8, 16, 32):
        x = torch.arange(n, dtype=torch.float64) / n
        images.append(network(3 * (2 * torch.pi * x).sin()[None, None])[..., :: n // 8])
    gaps = [float((a - b).detach().abs().max()) for a, b in itertools.pairwise(images)]
    assert 1e-6 < gaps[0] < 1e-2
    assert gaps[1] < 0.02 * gaps[0]


@pytest.mark.parametrize("form", ["tucker", "cp", "tt"])
def test_rank_is_the_share_of_the_multipliers_parameters(form):
    def multipliers(network: FNO) -> int:
        return sum(count_parameters(block.neurons.W) - 8 for block in network.blocks)

    dense, low = FNO(1, 1, width=8, modes=8), FNO(1, 1, width=8, modes=8, factorization=form, rank=0.3)
    assert 0.2 * multipliers(dense) < multipliers(low) <= 0.3 * multipliers(dense)


@pytest.mark.parametrize("form", ["tucker", "cp", "tt"])
def test_weights_of_low_rank_learn(form):
    """The antiderivative of random waves, to a fifth of its size."""
    torch.manual_seed(0)
    x = 2 * torch.pi * torch.arange(16) / 16
    k, c = torch.arange(1, 4)[:, None], torch.randn(64, 2, 3)
    u = torch.einsum("bk,kx->bx", c[:, 0], (k * x).sin()) + torch.einsum("bk,kx->bx", c[:, 1], (k * x).cos())
    v = torch.einsum("bk,kx->bx", c[:, 1] / k.T, (k * x).sin()) - torch.einsum(
        "bk,kx->bx", c[:, 0] / k.T, (k * x).cos()
    )
    network = FNO(1, 1, width=8, depth=1, modes=8, factorization=form, rank=0.5, domain=Domain.unit(1, "periodic"))
    optimizer = torch.optim.Adam(network.parameters(), 2e-2)
    for _ in range(40):
        error = (network(u[:, None]) - v[:, None]).square().mean().sqrt() / v.square().mean().sqrt()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert float(error.detach()) < 0.2


@pytest.mark.parametrize("boundary", ["dirichlet", "neumann", "periodic"])
def test_the_basis_of_a_domain_is_the_one_that_fits(boundary):
    domain = Domain.unit(1, boundary)
    fitting = {"dirichlet": "sine", "neumann": "cosine", "periodic": "fourier"}[boundary]
    torch.manual_seed(0)
    chosen = FNO(1, 1, width=4, modes=4, basis=fitting, domain=domain).blocks[0].neurons.W
    torch.manual_seed(0)
    by_domain = FNO(1, 1, width=4, modes=4, basis="domain", domain=domain).blocks[0].neurons.W
    u = torch.randn(2, 4, 16)
    assert torch.equal(chosen(u), by_domain(u))


def test_parameters_are_counted():
    """Lift, per block K with bias, B, M, G, and projection."""
    c, m = 8, 6 * 4 * 2
    lift, project = 16 * 3 + 16 + 8 * 16 + 8, 16 * 8 + 16 + 16 + 1
    block = c * c * m + c + c * c + (4 * 8 + 4 + 8 * 4 + 8) + c
    assert count_parameters(FNO(1, 1, width=8, depth=3, modes=6)) == lift + 3 * block + project


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"got modes=\(4, 4, 4\) for 2 axes"):
        FNO(1, 1, modes=(4, 4, 4))
    with pytest.raises(ValueError, match="takes 1 input channels, got 2"):
        FNO(1, 1, width=4, modes=4)(torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match="skip_kernel=3 with skip='identity'"):
        FNO(1, 1, skip="identity", skip_kernel=3)
    with pytest.raises(ValueError, match="share of the dense parameters"):
        FNO(1, 1, factorization="tucker", rank=2.0)


def test_its_repr_states_modes_width_and_parameters():
    assert "modes=(6, 6), width=8" in repr(FNO(1, 1, width=8, depth=3, modes=6))


@pytest.mark.parametrize("shape", [(24,), (96, 96), (24, 20, 20)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 0.1, "norm": "group", "skip_kernel": 3, "mlp_skip": "linear"},
        {"basis": "cosine", "norm": "instance", "preactivation": True},
        {"factorization": "tucker", "stabilizer": True, "skip": "gating", "mlp_expansion": None},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
def test_single_precision_computes_the_same_with_another_order_of_the_channels_in_memory(options, shape):
    single = FNO(2, 1, width=8, depth=2, modes=6, domain=Domain.unit(len(shape)), **options)
    double = copy.deepcopy(single).double()
    x = torch.randn(2, 2, *shape)
    u, v = single(x), double(x.double())
    assert u.is_contiguous()
    assert float((u - v).detach().norm() / v.detach().norm()) < 1e-5
    found, expected = (
        torch.autograd.grad(y.square().mean(), list(n.parameters())) for y, n in ((u, single), (v, double))
    )
    largest = max(float(g.norm()) for g in expected)
    assert max(float((g - h).norm()) for g, h in zip(found, expected, strict=True)) < 1e-4 * largest
