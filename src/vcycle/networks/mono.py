"""MoNO: a mixture of neural operators, one of which is active for each input."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_field
from vcycle.networks.fitted import Fitted
from vcycle.networks.fno import FNO
from vcycle.networks.lno import LNO
from vcycle.networks.router import Router
from vcycle.operators import count_parameters
from vcycle.spaces import Domain

SAMPLES_PER_LEAF = 32


class MoNO(Fitted):
    """u = E_leaf(a)(a): a tree leads every input to one leaf, and the leaf's expert, a small network, does the rest.

    At every node the way goes on to the child whose centre is nearest to a in L2 (networks.Router). The centres come
    from `fit`, by k-means on inputs; before, they are random.

    fanout, tree_depth   children of a node and levels of the tree, which has fanout^tree_depth leaves
    sensors              cells per axis of the centres
    expert               'fno' or 'lno'
    width, depth         channels and layers of an expert
    rank                 of its integral operators: Fourier modes per axis (fno), pairs of functions (lno)
    activation           sigma of the experts, by name

    Each input meets the parameters of one expert: those in use are a leaf's, those stored are all leaves'. The map
    jumps where an input changes its leaf, by no more than the errors of the two experts there together. An expert
    learns from the inputs of its leaf alone, so there must be enough of them: a mixture pays where the operator behaves
    differently in different regions, not for inputs of one kind. A function has the same leaf on all grids whose cells
    make up those of the sensors. Source: P145.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        fanout: int = 2,
        tree_depth: int = 2,
        sensors: int = 8,
        expert: Literal["fno", "lno"] = "fno",
        width: int = 24,
        depth: int = 3,
        rank: int = 8,
        activation: str = "gelu",
        domain: Domain | None = None,
    ):
        super().__init__()
        self.domain = Domain.unit(2) if domain is None else domain
        self.in_channels = in_channels
        self.router = Router(self.domain, in_channels, fanout, tree_depth, sensors)

        def build() -> nn.Module:
            channels = in_channels, out_channels
            if expert == "fno":
                return FNO(*channels, width=width, depth=depth, modes=rank, activation=activation, domain=self.domain)
            if expert == "lno":
                return LNO(*channels, width=width, depth=depth, rank=rank, activation=activation, domain=self.domain)
            raise ValueError(f"unknown expert {expert!r}: expected 'fno' or 'lno', the networks a leaf may hold")

        self.experts = nn.ModuleList(build() for _ in range(self.router.leaves))

    @property
    def samples(self) -> int:
        return SAMPLES_PER_LEAF * self.router.leaves

    def fit(self, inputs: Float[Tensor, "b i *grid"], outputs: Float[Tensor, "b o *grid"]) -> None:
        """The tree's centres from these inputs."""
        self.router.fit(inputs)

    def forward(self, x: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        check_field("MoNO", x, self.in_channels, self.domain)
        leaf = self.router(x)
        if torch.compiler.is_exporting():
            # An exported program has no batches whose sizes depend on values: all experts run, and one is taken.
            return torch.stack([expert(x) for expert in self.experts])[leaf, torch.arange(x.shape[0], device=x.device)]
        parts, order = [], []
        for index, expert in enumerate(self.experts):
            members = torch.nonzero(leaf == index)[:, 0]
            # While training, idle experts see an empty batch, so that their gradients are 0 and not absent.
            if len(members) > 0 or torch.is_grad_enabled():
                parts.append(expert(x[members]))
                order.append(members)
        return torch.cat(parts)[torch.cat(order).argsort()]

    def extra_repr(self) -> str:
        return f"{self.router.leaves} leaves, {count_parameters(self)} parameters"
