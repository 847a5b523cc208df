import copy

import pytest
import torch
from torch import nn

from vcycle.networks import FNO, NETWORKS, StencilNetwork, align_weights, build
from vcycle.operators import Fourier, Spectral
from vcycle.spaces import Domain


@pytest.mark.parametrize("name", NETWORKS)
def test_aligned_weights_are_the_same_weights(name: str) -> None:
    network = build({"name": name}, 2, 1, Domain.unit(2)).double().eval()
    before, x = copy.deepcopy(network), torch.randn(1, 2, 16, 16, dtype=torch.float64)
    align_weights(network)
    for mine, its in zip(network.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(mine, its, rtol=0, atol=0)
    torch.testing.assert_close(network(x), before(x), rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", [name for name, kind in NETWORKS.items() if issubclass(kind, StencilNetwork)])
def test_stencils_lie_channels_last(name: str) -> None:
    network = build({"name": name}, 2, 1, Domain.unit(2))
    align_weights(network)
    stencils = [weight for weight in network.parameters() if weight.ndim == 4 and min(weight.shape[:2]) > 1]
    assert stencils and all(weight.stride(1) == 1 for weight in stencils)


@pytest.mark.parametrize("basis", ["fourier", "sine"])
def test_multipliers_and_their_gradients_lie_mode_by_mode(basis: str) -> None:
    network: nn.Module = FNO(2, 1, width=4, depth=2, modes=(4, 6), basis=basis)
    align_weights(network)
    network(torch.randn(2, 2, 16, 16)).sum().backward()
    weights = [module.weight for module in network.modules() if isinstance(module, Fourier | Spectral)]
    assert len(weights) == 2
    for weight in weights:
        assert weight.grad.stride() == weight.stride()
        assert max(weight.stride()[:2]) < min(weight.stride()[2:4])


def test_multipliers_that_have_no_matrices_stay() -> None:
    for options in ({"separable": True}, {"factorization": "cp"}):
        network = FNO(2, 1, width=4, depth=1, modes=4, **options)
        align_weights(network)
        assert all(weight.is_contiguous() for weight in network.parameters())
