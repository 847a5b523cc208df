"""Convergent graph solvers: from a graph a network makes linear contractions, whose fixed points it decodes."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vcycle.networks.equilibrium import Equilibrium, Step
from vcycle.networks.steps import banach_steps

Nodes = Float[Tensor, "n _"]
Edges = Int[Tensor, "2 e"]
Features = Float[Tensor, "e _"]
SPARE_STEPS = 5  # beyond Banach's number, for a fixed point smaller than the first residual


class NeighbourStep(Step):
    """T(z; c)_i = rate sum_j A_ij z_j + b_i over the neighbours j of node i, with A of its own in every channel.

    A_ij = exp(s_ij) / (1 + sum_j exp(s_ij)): rows sum to less than 1, so T contracts in the maximum norm with `rate`
    and its fixed point is (I - rate A)^-1 b. `neighbours` is a table (n, k) and `present` says which of its entries
    are there; the context holds the scores s, k per channel, then b: (1, (k + 1) c, n). Source: P2, section 3.
    """

    def __init__(self, neighbours: Int[Tensor, "n k"], present: Tensor, channels: int, rate: float):
        super().__init__()
        if not 0 < rate < 1:
            raise ValueError(f"the rate of a contraction lies between 0 and 1, got {rate}: 0.8 is a good value")
        self.neighbours, self.present = neighbours, present
        self.channels, self.context = channels, (neighbours.shape[1] + 1) * channels
        self.rate, self.factor, self.start = rate, rate, 0.0

    def at(self, c: Float[Tensor, "1 d n"]) -> Callable[[Tensor], Tensor]:
        shrunk, b = self.factor * self.weights(c), c[:, -self.channels :]
        return lambda z: (shrunk * z[..., self.neighbours]).sum(-1) + b

    def weights(self, c: Float[Tensor, "1 d n"]) -> Float[Tensor, "1 c n k"]:
        """A on the entries of the table."""
        scores = c[:, : -self.channels].unflatten(1, (self.channels, -1)).movedim(2, 3)
        scores = scores.masked_fill(~self.present, -torch.inf)
        # Nobody has score 0; subtracting the largest score or 0 keeps exp below 1.
        top = scores.detach().amax(-1, keepdim=True).clamp_min(0.0)
        exponentials = (scores - top).exp()
        return exponentials / ((-top).exp() + exponentials.sum(-1, keepdim=True))


class GraphSolver(nn.Module):
    """h = G(x, e),  z_h* = rate A_h(h) z_h* + b_h(h) for every head,  u = D(z*).

    G is one graph layer: messages M(x_j, x_i, e_ij) are summed over the neighbours j of i, and a perceptron sees x_i
    beside the sum. Scores of A come from (h_j, h_i, e_ij), b from h_i, D is a perceptron. The fixed points exist for
    any weights, a few `rate` steps away, whatever the size of the graph; their gradients are those of the implicit
    function theorem (networks.Equilibrium). Renumbering nodes renumbers u. Source: P2.
    """

    def __init__(
        self,
        in_features: int,
        edge_features: int,
        out_features: int,
        *,
        heads: int = 8,
        width: int = 32,
        rate: float = 0.95,
        tolerance: float = 1e-6,
    ):
        super().__init__()
        self.heads, self.rate, self.tolerance = heads, rate, tolerance
        self.message = _perceptron(2 * in_features + edge_features, width, width)
        self.node = _perceptron(in_features + width, width, width)
        self.score = _perceptron(2 * width + edge_features, width, heads)
        self.source = nn.Linear(width, heads)
        self.decode = _perceptron(heads, width, out_features)

    def forward(self, x: Nodes, edges: Edges, e: Features) -> Nodes:
        """Nodes (n, in), edges (2, e) from j = edges[0] to i = edges[1] with features (e, q); returns (n, out)."""
        step, c = self.contraction(x, edges, e)
        most = banach_steps(self.rate, self.tolerance) + SPARE_STEPS
        z = Equilibrium(step, tolerance=self.tolerance, most=most)(c)
        return self.decode(z[0].mT)

    def contraction(self, x: Nodes, edges: Edges, e: Features) -> tuple[NeighbourStep, Float[Tensor, "1 d n"]]:
        """T and its context for this graph."""
        j, i = edges
        messages = self.message(torch.cat([x[j], x[i], e], 1))
        h = self.node(torch.cat([x, x.new_zeros(len(x), messages.shape[1]).index_add(0, i, messages)], 1))
        scores = self.score(torch.cat([h[j], h[i], e], 1))
        slot = _slots(i)
        k = int(slot.max()) + 1 if len(slot) else 1
        neighbours = torch.zeros(len(x), k, dtype=torch.long, device=x.device).index_put((i, slot), j)
        present = torch.zeros(len(x), k, dtype=torch.bool, device=x.device).index_put(
            (i, slot), torch.ones_like(i).bool()
        )
        table = scores.new_zeros(len(x), k, self.heads).index_put((i, slot), scores)
        c = torch.cat([table.permute(2, 1, 0).flatten(0, 1), self.source(h).mT])[None]
        return NeighbourStep(neighbours, present, self.heads, self.rate), c


def _slots(target: Int[Tensor, " e"]) -> Int[Tensor, " e"]:
    """0, 1, 2, ... for the edges into each node, in their order."""
    order = target.argsort(stable=True)
    counts = torch.bincount(target)
    starts = counts.cumsum(0) - counts
    return torch.empty_like(target).index_put(
        (order,), torch.arange(len(target), device=target.device) - starts[target[order]]
    )


def _perceptron(i: int, width: int, o: int) -> nn.Module:
    return nn.Sequential(nn.Linear(i, width), nn.GELU(), nn.Linear(width, o))
