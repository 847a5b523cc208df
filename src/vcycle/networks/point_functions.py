"""Learned functions of the points of a domain."""

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.checks import check_counts
from vcycle.networks.hidden_layers import HiddenLayers
from vcycle.operators import Functions, Pointwise
from vcycle.operators.finite_rank import Factors
from vcycle.spaces import Domain, Space

# |sigma(t)| <= |t|: a layer enlarges no more than its matrix does.
CONTRACTIONS = ("gelu", "relu", "tanh", "silu", "elu", "leaky_relu", "identity", "sine")


class PointFeatures(nn.Module):
    """x -> (2 x - 1, cos k pi x, sin k pi x), and (cos 2 k pi x, sin 2 k pi x) where periodic; k = 1, ..., waves.

    x is a point of the unit box, taken an axis at a time. Periodic axes have one wave at least, so that whatever is
    made of the features is periodic.
    """

    def __init__(self, domain: Domain, waves: int = 0):
        super().__init__()
        check_counts("a network of points", least=0, features=waves)
        self.periodic = tuple(domain.periodic(axis) for axis in range(domain.dimension))
        self.waves = tuple(max(1, waves) if periodic else waves for periodic in self.periodic)

    @property
    def count(self) -> int:
        return 2 * sum(self.waves) + self.periodic.count(False)

    def bound(self) -> float:
        """|features| at every point of the box: 1 from a coordinate, 1 from a pair of cosine and sine."""
        return math.sqrt(sum(self.waves) + self.periodic.count(False))

    def forward(self, points: Float[Tensor, "b d *grid"]) -> Float[Tensor, "b _ *grid"]:
        features = []
        for x, waves, periodic in zip(points.split(1, 1), self.waves, self.periodic, strict=True):
            if not periodic:
                features.append(2 * x - 1)
            for k in range(1, waves + 1):
                phase = (2 * k if periodic else k) * math.pi * x
                features += [phase.cos(), phase.sin()]
        return torch.cat(features, 1)


class PointFunctions(Functions):
    """f(x, a) = W h_depth + b,   h_l = sigma(W_l h_{l-1} + b_l),   h_0 = (features of x, a): a perceptron.

    It acts at each point by itself. `fields` is the number of channels of a, 0 for functions of the point alone.
    """

    def __init__(
        self,
        domain: Domain,
        count: int,
        *,
        width: int,
        depth: int,
        activation: str,
        features: int = 0,
        gated: bool = False,
        fields: int = 0,
    ):
        super().__init__(count)
        self.dimension, self.fields, self.activation, self.gated = domain.dimension, fields, activation, gated
        self.features = PointFeatures(domain, features)
        source = Space(domain, self.features.count + fields)
        self.hidden = HiddenLayers(source, width, depth, activation, gated=gated)
        self.head = Pointwise(self.hidden.target, Space(domain, count), bias=True)

    def forward(self, points: Float[Tensor, "b _ *grid"]) -> Float[Tensor, "b count *grid"]:
        return self.head(self._hidden(points))

    def factors(self, points: Float[Tensor, "b _ *grid"]) -> Factors:
        """(W b) and (h_depth, 1)."""
        h = self._hidden(points)
        b = cast(Tensor, self.head.bias)
        return torch.cat([self.head.weight, b[:, None]], 1), torch.cat([h, torch.ones_like(h[:, :1])], 1)

    def _hidden(self, points: Float[Tensor, "b _ *grid"]) -> Float[Tensor, "b width *grid"]:
        x, a = points.split([self.dimension, self.fields], 1)
        return self.hidden(torch.cat([self.features(x), a], 1))[-1]

    def bound(self) -> float | None:
        """|h_l| <= ||W_l|| |h_{l-1}| + |b_l|; None with gates, fields, or an activation that enlarges."""
        if self.fields or self.gated or self.activation not in CONTRACTIONS:
            return None
        size = self.features.bound()
        parameters = [p.detach().double() for p in (*self.hidden.layers.parameters(), *self.head.parameters())]
        for matrix, bias in zip(parameters[::2], parameters[1::2], strict=True):
            size = float(torch.linalg.matrix_norm(matrix, 2)) * size + float(bias.norm())
        return size


def point_list(points: Float[Tensor, "n d"], domain: Domain) -> Float[Tensor, "1 d n ..."]:
    """Points of the domain as points of the unit box, on a grid that is one point thick in all axes but the first."""
    low, high = points.new_tensor(domain.extents).unbind(1)
    unit = ((points - low) / (high - low)).mT[None]
    return unit.view(*unit.shape, *(1,) * (domain.dimension - 1))
