"""Normalisations of the channels by name."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.spaces import Space

NormName = Literal["instance", "group", "batch", "layer"]
INSTANCE = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class ChannelNorm(nn.LayerNorm):
    """(u - mean) / deviation of the channels at every point, times g plus c per channel: no point sees another."""

    def __init__(self, space: Space):
        super().__init__(space.channels)

    def forward(self, input: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        u = F.layer_norm(input.movedim(1, -1), self.normalized_shape, self.weight, self.bias, self.eps)
        return u.movedim(-1, 1)


def normalisation(name: NormName | None, space: Space, groups: int = 1) -> nn.Module | None:
    """The normalisation of that name for fields in `space`.

    'layer' acts on the channels of a point, 'instance' on the points of a channel, 'group' on the points of some
    channels, 'batch' on the points of a channel in all samples; `groups` belongs to 'group'.
    """
    if name is None:
        return None
    if name == "group":
        return nn.GroupNorm(groups, space.channels)
    if name == "layer":
        return ChannelNorm(space)
    if name in ("instance", "batch"):
        return (INSTANCE if name == "instance" else BATCH)[space.domain.dimension](space.channels)
    raise ValueError(f"unknown norm {name!r}: expected 'instance', 'group', 'batch', 'layer' or None")
