"""Coordinates as further input channels."""

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, placed

Coordinates = Literal["cells", "corners", "ends"]
CoordinatesOrAuto = Coordinates | Literal["auto"]
OFFSET = {"cells": 0.5, "corners": 0.0}


def coordinates_on(domain: Domain, kind: CoordinatesOrAuto | None) -> Coordinates | None:
    """'auto' is 'cells' on a box that is periodic along every axis, where nothing else tells a place, else None."""
    if kind != "auto":
        return kind
    return "cells" if domain.torus else None


def append_coordinates(x: Float[Tensor, "b i *grid"], kind: Coordinates | None) -> Float[Tensor, "b j *grid"]:
    """x with one more channel per axis: the points of the unit box.

    kind: 'cells' (centres (k + 1/2) / n), 'corners' (k / n), 'ends' (k / (n - 1), both ends included), None: x itself.
    """
    if kind is None:
        return x
    shape = x.shape[2:]
    lines = (placed(_line(n, kind), x).view(-1, *[1] * (len(shape) - axis - 1)) for axis, n in enumerate(shape))
    return torch.cat([x, *(line.expand(x.shape[0], 1, *shape) for line in lines)], 1)


@lru_cache(maxsize=64)  # arrays: a cached tensor would belong to the inference mode or the trace that made it
def _line(n: int, kind: Coordinates) -> Float[np.ndarray, " n"]:
    return np.linspace(0, 1, n) if kind == "ends" else (np.arange(n) + OFFSET[kind]) / n
