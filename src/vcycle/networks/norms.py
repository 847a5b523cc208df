"""Normalisations of the channels by name."""

from typing import Literal

from torch import nn

from vcycle.spaces import Space

NormName = Literal["instance", "group", "batch"]
INSTANCE = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def normalisation(name: NormName | None, space: Space, groups: int = 1) -> nn.Module | None:
    """The normalisation of that name for fields in `space`."""
    if name is None:
        return None
    if name == "group":
        return nn.GroupNorm(groups, space.channels)
    if name in ("instance", "batch"):
        return (INSTANCE if name == "instance" else BATCH)[space.domain.dimension](space.channels)
    raise ValueError(f"unknown norm {name!r}: expected 'instance', 'group', 'batch' or None")
