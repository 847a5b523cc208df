"""Networks that take more from data than their normalisers: a training fits them, a surrogate remembers."""

import pytest
import torch

from vcycle.jobs import train
from vcycle.networks import DeepONet, Fitted, MoNO
from vcycle.surrogate import load

POD = {"name": "deeponet", "trunk": "pod", "rank": 4, "width": 16, "sensors": 4, "branch_depth": 1}
TREE = {"name": "mono", "width": 4, "depth": 1, "rank": 4, "tree_depth": 1}


def test_who_takes_how_much():
    assert issubclass(DeepONet, Fitted)
    assert DeepONet(1, 1).samples == 0
    assert DeepONet(1, 1, trunk="pod", rank=4).samples == 16
    assert MoNO(1, 1, width=4, depth=1, rank=4, fanout=3, tree_depth=1).samples == 96


@pytest.mark.parametrize("network", [POD, TREE], ids=lambda network: network["name"])
def test_a_training_fits_and_a_surrogate_remembers(tmp_path, network):
    options = {"steps": 4, "batch": 4, "validate_every": 4, "accelerator": "cpu", "threads": 1}
    train(problem="darcy", resolution=8, network=network, validation_samples=4, out=str(tmp_path / "run"), **options)
    surrogate = load(tmp_path / "run")
    buffers = dict(surrogate.network.named_buffers())
    name = "network.trunk.functions" if network["name"] == "deeponet" else "network.router.centres"
    assert float(buffers[name].abs().max()) > 0
    assert bool(surrogate.apply(1 + torch.rand(3, 8, 8)).isfinite().all())
