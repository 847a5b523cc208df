"""LNO: layers of finite rank, one function at every resolution."""

import pytest
import torch

from vcycle.networks import LNO
from vcycle.networks.input_kernel import InputKernel
from vcycle.networks.point_functions import PointFunctions
from vcycle.operators import FiniteRank
from vcycle.spaces import Domain, GaussianField, Space, resample

MIXED = Domain([2.0, 1.0], [("dirichlet", "neumann"), "periodic"])
SMALL = {"width": 4, "depth": 2, "rank": 2, "kernel_width": 8, "features": 1}
variants = pytest.mark.parametrize("options", [{}, {"entries": True}, {"inputs": True}], ids=str)


def network(**options) -> LNO:
    torch.manual_seed(0)
    return LNO(2, 1, **SMALL, **options, domain=MIXED).double()


@variants
def test_a_layer_is_sigma_of_an_operator_of_finite_rank_and_a_matrix(options):
    net = network(**options)
    met: dict[str, torch.Tensor] = {}
    net.kernels[0].register_forward_hook(lambda module, inputs, output: met.update(Kv=output))
    net.biases[0].register_forward_hook(lambda module, inputs, output: met.update(Bv=output))
    net.biases[1].register_forward_pre_hook(lambda module, inputs: met.update(image=inputs[0]))
    net(torch.randn(2, 2, 6, 8, dtype=torch.float64))
    torch.testing.assert_close(torch.nn.functional.gelu(met["Kv"] + met["Bv"]), met["image"])


@variants
def test_the_same_function_comes_out_at_every_resolution(options):
    net = network(**options)
    field = GaussianField(MIXED, alpha=4.0, modes=4)

    def image(n: int) -> torch.Tensor:
        x = field.sample((n, n), 5, range(4)).reshape(2, 2, n, n)
        return resample(net(x).detach(), MIXED, (8, 8))

    exact = image(128)
    errors = [float((image(n) - exact).abs().max()) for n in (8, 16, 32)]
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3


@pytest.mark.parametrize("entries", [False, True])
def test_for_each_input_the_kernel_is_linear_and_sees_that_input_alone(entries):
    source, target = Space(MIXED, 3), Space(MIXED, 2)
    options = {"width": 8, "depth": 1, "activation": "tanh", "fields": 2}
    counts = (12, 12) if entries else (4, 6)
    phi, psi = (PointFunctions(MIXED, n, **options) for n in counts)
    W = InputKernel(source, target, phi, psi, 2, entries=entries).double()
    z = torch.rand(2, 4, 6, 8, dtype=torch.float64)
    u, v = torch.randn(2, 2, 3, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(W(2 * u - v, z), 2 * W(u, z) - W(v, z))
    torch.testing.assert_close(W(u, z)[:1], W(u[:1], z[:1]))
    assert float((W(u, z) - W(u, z.flip(0))).detach().abs().max()) > 1e-3


def test_without_the_input_its_kernels_are_operators():
    assert all(isinstance(K, FiniteRank) for K in network().kernels)
    assert all(isinstance(K, InputKernel) for K in network(inputs=True).kernels)


def test_published_kernels_have_functions_for_each_pair_of_channels():
    """P151: width^2 rank values of phi and of psi."""
    assert LNO(1, 1, width=8, depth=1, rank=3, entries=True).kernels[0].phi.count == 8 * 8 * 3
    assert LNO(1, 1, width=8, depth=1, rank=3).kernels[0].phi.count == 8 * 3


def test_it_is_periodic_where_the_domain_is():
    """A fine shift of the grid across the seam: neighbours at both ends of a periodic axis are close."""
    field = GaussianField(MIXED, alpha=4.0, modes=4)
    u = network()(field.sample((8, 512), 5, range(2)).reshape(1, 2, 8, 512)).detach()
    steps = torch.cat([u.diff(dim=3), u[..., :1] - u[..., -1:]], 3).abs().amax((0, 1, 2))
    assert float(steps[-1]) <= 1.1 * float(steps[:-1].max())


def test_parameters_at_the_defaults():
    assert sum(p.numel() for p in LNO(1, 1).parameters()) == 316_833
