"""The star operation: a product of two linear maps instead of a nonlinearity."""

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.operators import Pointwise
from vcycle.spaces import Space


class Star(nn.Module):
    """sigma(u) = (W1 u + b1) (W2 u + b2), the product at every point and channel; W1, W2 matrices on the channels.

    Every output is a quadratic form of the channels, so L layers are a polynomial of degree 2^L: products such as the
    advection u . grad u of a flow come out exactly. Source: P173, section 3.
    """

    def __init__(self, space: Space):
        super().__init__()
        self.left, self.right = Pointwise(space, space, bias=True), Pointwise(space, space, bias=True)

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        return self.left(u) * self.right(u)
