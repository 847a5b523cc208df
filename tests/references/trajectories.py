"""Reference trajectories, where they lie beside the checkout, and the problem's view of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vcycle.spaces import Domain

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "public"


def reference(name: str) -> tuple[dict[str, Any], Tensor, Tensor]:
    """The description, the times and the states (time, channel, *grid) of a file."""
    file = VECTORS / f"{name}.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    return json.loads(str(z["config"])), torch.from_numpy(z["times"]), torch.from_numpy(z["u"])


def vertex_box(lengths: list[float], shape: tuple[int, ...]) -> Domain:
    """The periodic box moved by half a cell, so that the centres of its cells are 0, h, 2 h, ..."""
    return Domain([(-l / n / 2, l - l / n / 2) for l, n in zip(lengths, shape, strict=True)], "periodic")


def refined(u: Tensor, factor: int) -> Tensor:
    """The same trigonometric polynomial on `factor` times as many points per axis (odd multiples keep none)."""
    axes = tuple(range(2, u.ndim))
    for axis in axes:
        n = u.shape[axis]
        u_hat = torch.fft.rfft(u, dim=axis)
        u = torch.fft.irfft(u_hat.narrow(axis, 0, (n + 1) // 2), n=factor * n, dim=axis) * factor
    return u


def largest_difference(found: Tensor, expected: Tensor) -> float:
    """max |found - expected| / max |expected|."""
    return float((found - expected).abs().max() / expected.abs().max())
