"""A tree that assigns every function to a leaf."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vcycle.networks.clusters import cluster_centres
from vcycle.networks.sensors import Sensors
from vcycle.spaces import Domain


class Router(nn.Module):
    """From the root to a leaf: at every node on to the child c with the smallest ||u - c|| in L2.

    Centres are constant on a fixed grid of `sensors` cells per axis, so on finer grids the nearest centre of u is that
    of its averages: ||u - c||^2 = ||u - Pi u||^2 + ||Pi u - c||^2 with the L2 projection Pi. A search compares with
    depth * fanout centres. `fit` finds the centres by k-means, node by node; before, they are random.
    """

    centres: Tensor

    def __init__(self, domain: Domain, channels: int, fanout: int, depth: int, sensors: int):
        super().__init__()
        if fanout < 2 or depth < 1:
            raise ValueError(f"got fanout={fanout} and depth {depth}: a tree branches into 2 or more, 1 level or more")
        self.fanout, self.depth = fanout, depth
        self.sensors = Sensors(domain, channels, sensors)
        nodes = sum(fanout**level for level in range(depth))
        # Level by level: the children of node k of a level are nodes k fanout, ..., k fanout + fanout - 1 of the next.
        self.register_buffer("centres", torch.randn(nodes, fanout, self.sensors.count))

    @property
    def leaves(self) -> int:
        return self.fanout**self.depth

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Int[Tensor, " b"]:
        """The leaf of every sample."""
        return self._search(self.sensors(u).flatten(1))

    def fit(self, inputs: Float[Tensor, "b i *grid"]) -> None:
        """Centres of clusters of these inputs: first for the root, then for each node from the inputs that reach it."""
        points = self.sensors(inputs.detach()).flatten(1).to(self.centres)
        for level in range(self.depth):
            reached = self._search(points, level)
            for k in range(self.fanout**level):
                members = points[reached == k]
                if len(members) > 0:
                    self.centres[self._first(level) + k] = cluster_centres(members, self.fanout)

    def _search(self, points: Float[Tensor, "b m"], levels: int | None = None) -> Int[Tensor, " b"]:
        node = torch.zeros(points.shape[0], dtype=torch.long, device=points.device)
        for level in range(self.depth if levels is None else levels):
            distances = (self.centres[self._first(level) + node] - points[:, None]).square().sum(2)
            node = node * self.fanout + distances.argmin(1)
        return node

    def _first(self, level: int) -> int:
        return sum(self.fanout**above for above in range(level))
