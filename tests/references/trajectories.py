"""Reference trajectories, where they lie beside the checkout, and the problem's view of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vcycle.problems import Evolution
from vcycle.spaces import Domain

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "public"


def reference(name: str) -> tuple[dict[str, Any], Tensor, Tensor]:
    """The description, the times and the states (time, channel, *grid) of a file."""
    file = VECTORS / f"{name}.npz"
    if not file.exists():
        pytest.skip("reference vectors are not beside this checkout")
    z = np.load(file)
    return json.loads(str(z["config"])), torch.from_numpy(z["times"]), torch.from_numpy(z["u"])


def trajectory(
    name: str, kind: type[Evolution], finer: int, accuracy: float, last: int | None = None, **options: Any
) -> tuple[Tensor, Tensor]:
    """The states after the first, as the problem finds them on a `finer` grid, and as the file has them."""
    about, times, u = reference(name)
    states, shape = u[1:][:last], tuple(finer * n for n in u.shape[2:])
    problem = kind(
        domain=vertex_box([about["domain_length"]] * len(shape), shape),
        time=float(times[len(states)]),
        snapshots=len(states),
        accuracy=accuracy,
        **options,
    )
    solution = problem.solve(refined(u[:1], finer))
    assert solution.converged.all()
    coarse = (slice(None), slice(None), *(slice(None, None, finer),) * len(shape))
    return solution.value[coarse].unflatten(1, (len(states), -1))[0], states


def vertex_box(lengths: list[float], shape: tuple[int, ...]) -> Domain:
    """The periodic box moved by half a cell, so that the centres of its cells are 0, h, 2 h, ..."""
    return Domain([(-side / n / 2, side - side / n / 2) for side, n in zip(lengths, shape, strict=True)], "periodic")


def refined(u: Tensor, factor: int) -> Tensor:
    """The same trigonometric polynomial on `factor` times as many points per axis."""
    if factor == 1:
        return u
    for axis in range(2, u.ndim):
        n = u.shape[axis]
        u_hat = torch.fft.rfft(u, dim=axis)
        u = torch.fft.irfft(u_hat.narrow(axis, 0, (n + 1) // 2), n=factor * n, dim=axis) * factor
    return u


def largest_difference(found: Tensor, expected: Tensor) -> float:
    """max |found - expected| / max |expected|."""
    return float((found - expected).abs().max() / expected.abs().max())
