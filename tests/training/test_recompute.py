"""A layer that is computed again has the same gradient to the bit, and holds its input only."""

import pytest
import torch
from torch import nn

from vcycle.networks import FNO, Normalised, build
from vcycle.operators import Affine
from vcycle.spaces import Domain
from vcycle.training import FieldStream, Settings, l2, train
from vcycle.training.recompute import recomputed

SMALL = {
    "mgno": {"width": 4, "levels": 3},
    "fno": {"width": 4, "modes": 4, "dropout": 0.3, "norm": "group"},
    "unet": {},
    "transformer": {},
    "lsm": {},
    "implicit": {},
}


def gradients(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor | None]:
    torch.manual_seed(1)
    network.zero_grad()
    network(x).square().sum().backward()
    return [p.grad for p in network.parameters()]


@pytest.mark.parametrize("name", SMALL)
def test_gradients_are_the_same_to_the_bit(name):
    torch.manual_seed(0)
    bare = build({"name": name, **SMALL[name]}, 1, 1, Domain.unit(2))
    network = Normalised(bare, Affine.identity(1, 2), Affine.identity(1, 2), log=[True])
    x = torch.rand(2, 1, 16, 16) + 0.5
    plain = gradients(network, x)
    with recomputed(network):
        again = gradients(network, x)
    assert all(a is b is None or torch.equal(a, b) for a, b in zip(again, plain, strict=True))


def test_layers_hold_their_inputs_only():
    def held(network: nn.Module) -> float:
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            network(torch.randn(1, 1, 32, 32))
        return sum(sizes) / 32**2

    network = FNO(1, 1, width=8, depth=4, modes=4)
    plain = held(network)
    with recomputed(network):
        fields = 1 + 2 + 8 * (4 + 1)  # input and coordinates, and what the blocks and the last perceptron begin with
        assert held(network) == fields < plain / 6
    assert held(network) == plain


def test_running_statistics_are_refused():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    with pytest.raises(ValueError, match=r"1 keeps running statistics.*set recompute to false"), recomputed(network):
        pass


def test_a_run_ends_with_the_same_bits(tmp_path):
    def trained(recompute: bool) -> torch.Tensor:
        torch.manual_seed(3)
        network = FNO(1, 1, width=4, depth=2, modes=4, dropout=0.2)
        stream = FieldStream(torch.rand(6, 1, 8, 8) + 0.5, torch.rand(6, 1, 8, 8), batch=3, seed=5)
        settings = Settings(steps=3, accelerator="cpu", threads=1, recompute=recompute)
        train(network, stream, l2(Domain.unit(2)), lambda _: {"loss": 1.0}, settings, tmp_path / str(recompute))
        assert "forward" not in vars(network.lift)
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(trained(True), trained(False))
