"""The authors' networks, with the authors' weights, give the authors' numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vcycle.networks import from_authors

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "public"
FILES = sorted(
    path
    for pattern in ("mgno_*.npz", "fno*.npz", "lsm*.npz", "t1_*d_*.npz", "t1u_*.npz", "sinenet*.npz")
    for path in VECTORS.glob(pattern)
    if "losses" not in path.name
)
NAMES = [path.stem for path in FILES]


@pytest.fixture
def vectors() -> None:
    if not FILES:
        pytest.skip(f"no vectors in {VECTORS}")


def read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Configuration, state and arrays."""
    with np.load(path) as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != "config"}
        config = json.loads(str(file["config"]))
    state = {key.removeprefix("param/"): value for key, value in arrays.items() if key.startswith("param/")}
    return config, state, arrays


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    assert found.shape == expected.shape
    return float((found.detach() - expected).abs().max() / expected.abs().max())


def single(value: torch.Tensor) -> torch.Tensor:
    if value.is_complex():
        return value.to(torch.complex64)
    return value.float() if value.is_floating_point() else value


def test_there_are_vectors(vectors):
    assert len(FILES) >= 15


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_outputs_and_gradients_agree(path):
    config, state, arrays = read(path)
    network = from_authors(config, state)
    x = arrays["input"].requires_grad_()
    y = network(x)
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    assert difference(y, arrays["output"]) <= config["tol_rel"]
    assert difference(gradient, arrays["grad/input"]) <= 10 * config["tol_rel"]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_single_precision_agrees(path):
    config, state, arrays = read(path)
    network = from_authors(config, {key: single(value) for key, value in state.items()})
    y = network(single(arrays["input"]))
    assert y.dtype == torch.float32
    assert difference(y, single(arrays["output"])) <= 1e-4


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_key_is_accounted_for(path):
    """Only the parameters that the published class never runs may be missing, and nothing may be added."""
    config, state, _ = read(path)
    unused = set(config["params_without_gradient"])
    for key in [*unused, *list(state)[::7]]:
        less = {name: value for name, value in state.items() if name != key}
        if key in unused:
            from_authors(config, less)
        else:
            with pytest.raises(ValueError, match="the state has no"):
                from_authors(config, less)
    with pytest.raises(ValueError, match="'extra', which no part of this configuration uses"):
        from_authors(config, {**state, "extra": torch.zeros(1)})


def darcy(**changes: Any) -> dict[str, Any]:
    kwargs = {"num_layer": 1, "num_channel_u": 2, "num_channel_f": 1, "num_iteration": [[1, 0], [1, 0]]}
    return {"cls": "MgNO_DC", "kwargs": kwargs | changes}


def fno(**changes: Any) -> dict[str, Any]:
    kwargs = {"n_modes": [4, 4], "in_channels": 1, "out_channels": 1, "hidden_channels": 4}
    return {"cls": "FNO", "kwargs": kwargs | changes}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"cls": "TFNO", "kwargs": {}}, "the option 'n_modes' is required"),
        ({"cls": "MgNO_CD", "kwargs": {}}, "did you mean 'MgNO_DC'"),
        (darcy(num_layers=3), "unknown option 'num_layers': did you mean 'num_layer'"),
        (darcy(num_iteration=[[0, 1], [1, 0]]), "one pre-smoothing step or more"),
        (darcy(activation="swish"), "unknown activation 'swish'"),
        (darcy(normalizer="UnitGaussianNormalizer"), "has no 'normalizer.mean'"),
        ({**darcy(num_iteration=[[1, 0]] * 7), "cls": "MgNO_DC_smooth"}, "got num_iteration for 7"),
        ({**darcy(num_iteration=[1, 1, 1]), "cls": "MgNO_helm"}, r"fit \[1, 2, 5\] levels"),
        (fno(factorization="Tucker"), "the state has no 'fno_blocks.convs.0.weight.core'"),
        (fno(norm="ada_in"), "norm='ada_in' has no counterpart"),
        (fno(hidden_channels=4, modes=3), "unknown option 'modes'"),
        ({"cls": "SpectralConv", "kwargs": {"n_modes": [4]}}, "the option 'in_channels' is required"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_name(config, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_authors(config, {})
