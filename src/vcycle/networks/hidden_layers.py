"""The hidden layers of a perceptron, all of them."""

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.activations import activation as activation_named
from vcycle.operators import Pointwise
from vcycle.spaces import Space


class HiddenLayers(nn.Module):
    """h_l = sigma(W_l h_{l-1} + b_l), h_0 = u, W_l matrices on the channels: u to h_1, ..., h_depth.

    gated: h_l <- h_l U + (1 - h_l) V after every layer, with U = sigma(W_U u + b_U) and V = sigma(W_V u + b_V), the
    'modified MLP' of P113. Behind a sine the matrices of all layers but the first start uniform in +-sqrt(6 / width),
    which keeps the spread of h_l from layer to layer.
    """

    def __init__(self, source: Space, width: int, depth: int, activation: str, *, gated: bool = False):
        super().__init__()
        if depth < 1:
            raise ValueError(f"a perceptron has one hidden layer or more, got a depth of {depth}: give 1 or more")
        self.target = Space(source.domain, width)

        def layer(space: Space) -> Pointwise:
            return Pointwise(space, self.target, bias=True)

        first, *others = [layer(self.target if index else source) for index in range(depth)]
        self.layers = nn.ModuleList([first, *others])
        self.gates = nn.ModuleList(layer(source) for _ in range(2 if gated else 0))
        self.sigmas = nn.ModuleList(activation_named(activation, self.target) for _ in self.layers)
        self.gate_sigmas = nn.ModuleList(activation_named(activation, self.target) for _ in self.gates)
        if activation == "sine":
            for W in others:
                nn.init.kaiming_uniform_(W.weight, nonlinearity="relu")

    def forward(self, u: Float[Tensor, "b c *grid"]) -> list[Float[Tensor, "b width *grid"]]:
        gates = [sigma(W(u)) for W, sigma in zip(self.gates, self.gate_sigmas, strict=True)]
        hidden = []
        for W, sigma in zip(self.layers, self.sigmas, strict=True):
            u = sigma(W(u))
            if gates:
                u = u * gates[0] + (1 - u) * gates[1]
            hidden.append(u)
        return hidden
