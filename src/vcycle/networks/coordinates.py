"""Coordinates as further input channels."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from vcycle.spaces import Domain, Grid

Coordinates = Literal["cells", "corners", "ends"]
CoordinatesOrAuto = Coordinates | Literal["auto"]
OFFSET = {"cells": 0.0, "corners": 0.5, "ends": 0.0}


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
    shape = tuple(x.shape[2:])
    placement = "vertex" if kind == "ends" else "cell"
    points = Grid(Domain.unit(len(shape)), shape, placement).mesh()
    shifted = [p - OFFSET[kind] / n for p, n in zip(points, shape, strict=True)]
    channels = torch.stack(shifted).to(x).expand(x.shape[0], *[-1] * (len(shape) + 1))
    return torch.cat([x, channels], 1)
