"""Several networks as one: their mean answers, their spread says where they disagree."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Ensemble(nn.Module):
    """v = mean_m v_m over networks of different seeds, or samples of one posterior.

    Source: B. Lakshminarayanan, A. Pritzel, C. Blundell, Simple and scalable predictive uncertainty estimation using
    deep ensembles, NeurIPS 2017. Raises ValueError for fewer than two networks, which have no spread.
    """

    def __init__(self, members: Iterable[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)
        if len(self.members) < 2:
            raise ValueError(f"an ensemble needs at least two networks, got {len(self.members)}")

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        """The mean of the answers."""
        return self.moments(x)[0]

    def moments(self, x: Float[Tensor, "b i *grid"]) -> tuple[Float[Tensor, "b o *grid"], Float[Tensor, "b o *grid"]]:
        """Mean and standard deviation over the members at every point."""
        answers = torch.stack([member(x) for member in self.members])
        return answers.mean(0), answers.std(0)
