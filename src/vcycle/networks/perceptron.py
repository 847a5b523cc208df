"""A perceptron that acts on the channels at every point."""

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Pointwise
from vcycle.spaces import Space


class ChannelPerceptron(nn.Module):
    """M u = W_2 sigma(W_1 u + b_1) + b_2, W_1 and W_2 matrices on the channels; dropout after either while training."""

    def __init__(self, source: Space, hidden: Space, target: Space, sigma: nn.Module, *, dropout: float = 0.0):
        super().__init__()
        self.inner = Pointwise(source, hidden, bias=True)
        self.outer = Pointwise(hidden, target, bias=True)
        self.sigma: nn.Module = sigma
        self.dropout = nn.Dropout(dropout)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        return self.dropout(self.outer(self.dropout(self.sigma(self.inner(u)))))
