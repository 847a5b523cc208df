"""Functions of time through states at equal steps, and quadrature that is exact for their squares."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Interpolation = Literal["linear", "cubic"]
States = Float[Tensor, "b t *grid"]


@dataclass(frozen=True)
class Instant:
    """v and v_t at the same share of every step, and the weight of the instant, relative to the step."""

    value: Float[Tensor, "b steps *grid"]
    slope: Float[Tensor, "b steps *grid"]
    weight: float


def instants(states: States, step: float, interpolation: Interpolation) -> list[Instant]:
    """Gauss points of every step: as many as integrate squares of polynomials of v's degree in time exactly.

    'linear' between states; 'cubic' with the slope at a state that of the parabola through it and its neighbours.
    """
    before, after = states[:, :-1], states[:, 1:]
    degree = 1 if interpolation == "linear" else 3
    points, weights = np.polynomial.legendre.leggauss(degree + 1)
    out = []
    for s, weight in zip((points + 1) / 2, weights / 2, strict=True):
        if degree == 1:
            value, slope = torch.lerp(before, after, float(s)), (after - before) / step
        else:
            low, high = (part * step for part in _slopes(states, step))
            value = (
                (1 + 2 * s) * (1 - s) ** 2 * before + s**2 * (3 - 2 * s) * after + s * (1 - s) ** 2 * low
                - s**2 * (1 - s) * high
            )  # fmt: skip
            change = 6 * s * (1 - s) * (after - before) + (1 - s) * (1 - 3 * s) * low + s * (3 * s - 2) * high
            slope = change / step
        out.append(Instant(value, slope, float(weight)))
    return out


def _slopes(states: States, step: float) -> tuple[Tensor, Tensor]:
    """v_t at the start and at the end of every step."""
    d = states.diff(dim=1) / step
    if d.shape[1] == 1:
        return d, d
    inner = (d[:, :-1] + d[:, 1:]) / 2
    first, last = 2 * d[:, :1] - inner[:, :1], 2 * d[:, -1:] - inner[:, -1:]
    slopes = torch.cat([first, inner, last], 1)
    return slopes[:, :-1], slopes[:, 1:]
