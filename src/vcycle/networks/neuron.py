"""A layer of neurons whose weights are operators between function spaces."""

from jaxtyping import Float
from torch import Tensor, nn


class Neurons(nn.Module):
    """O_i(u) = sigma(N(sum_j W_ij u_j) + B_i(u)): W linear and bounded, B affine, sigma acts at every point.

    W is one operator from all channels to all channels: W_ij is its parameter block. B is None for no bias; N is
    a normalisation, which most networks do without. Source: P0, section 2.
    """

    def __init__(self, W: nn.Module, B: nn.Module | None, sigma: nn.Module, *, norm: nn.Module | None = None):
        super().__init__()
        self.W: nn.Module = W
        self.B: nn.Module | None = B
        self.sigma: nn.Module = sigma
        self.norm: nn.Module | None = norm

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *target"]:
        out = self.W(u)
        if self.norm is not None:
            out = self.norm(out)
        if self.B is not None:
            out = out + self.B(u)
        return self.sigma(out)
