"""Machine code made for a network takes the steps of the network, up to rounding."""

import math
from pathlib import Path

import jaxtyping
import pytest
import torch
from torch import nn

from vcycle.networks import FNO
from vcycle.spaces import Domain
from vcycle.training import FieldStream, Settings, l2, train
from vcycle.training.compilation import compiled, normal


def trained(folder: Path, *, compile: bool, recompute: bool = False) -> torch.Tensor:
    jaxtyping.config.update("jaxtyping_disable", True)  # checks end at some moment, and the compiler would trace half
    torch.manual_seed(3)
    network = FNO(1, 1, width=4, depth=1, modes=4, dropout=0.2).double()
    stream = FieldStream(torch.rand(6, 1, 8, 8) + 0.5, torch.rand(6, 1, 8, 8), batch=3, seed=5)
    settings = Settings(
        steps=4, precision="64-true", accelerator="cpu", threads=1, compile=compile, recompute=recompute
    )
    train(network, stream, l2(Domain.unit(2)), lambda _: {"loss": 1.0}, settings, folder)
    assert all("_orig_mod" not in name for name in network.state_dict())
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_run_ends_with_the_same_numbers_with_dropout_and_may_be_resumed_either_way(tmp_path):
    plain = trained(tmp_path / "plain", compile=False)
    torch.testing.assert_close(trained(tmp_path / "compiled", compile=True), plain, rtol=0, atol=1e-12)
    torch.testing.assert_close(trained(tmp_path / "compiled", compile=False), plain, rtol=0, atol=1e-12)


def test_the_normal_distribution_and_its_density_are_those_of_single_precision():
    x = torch.linspace(-9, 9, 10001)
    share, density = normal(x)
    exact = x.double()
    assert (share.double() - torch.special.ndtr(exact)).abs().max() < 3e-7
    assert (density.double() - torch.exp(-exact.square() / 2) / math.sqrt(2 * math.pi)).abs().max() < 1e-7


def test_both_kinds_of_gelu_and_their_gradients_are_those_of_torch():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 8), nn.GELU("tanh"))
    x = 4 * torch.randn(50, 3)
    found = []
    for called in (network, compiled(network, x.device)):
        given = x.clone().requires_grad_()
        y = called(given)
        found.append([y, *torch.autograd.grad(y.square().sum(), [given, *network.parameters()])])
    for usual, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, usual, rtol=0, atol=3e-6 * float(usual.detach().abs().max()))


def test_a_compiler_that_is_missing_is_asked_for():
    missing = torch._inductor.config.patch({"cpp.cxx": (None, "no-such-compiler")})
    with missing, pytest.raises(ValueError, match=r"compile needs a C\+\+ compiler.*or leave compile out"):
        compiled(nn.Identity(), torch.device("cpu"))


def test_layers_may_be_computed_twice_and_compiling_is_announced_where_a_step_is_left(tmp_path, capfd):
    plain = trained(tmp_path, compile=False)
    trained(tmp_path, compile=True)
    assert "compiles the network" not in capfd.readouterr().err
    twice = trained(tmp_path / "twice", compile=True, recompute=True)
    assert "compiles the network" in capfd.readouterr().err
    torch.testing.assert_close(twice, plain, rtol=0, atol=1e-12)
