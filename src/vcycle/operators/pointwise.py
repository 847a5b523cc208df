"""The matrix that acts on the channels at every point."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.stencil import CONVOLUTION, uniform_parameters
from vcycle.spaces import Space, lies_channels_last

MANY = 2**13  # points, from which on convolutions are faster than products of matrices


class Pointwise(LinearOperator):
    """(W u)_o(x) = sum_i M_oi u_i(x) + b_o: a 1 x 1 convolution. With a bias the map is affine (tag 'affine')."""

    def __init__(self, source: Space, target: Space, *, bias: bool = False):
        tags = {"translation_equivariant", "refines"} | ({"affine"} if bias else set())
        super().__init__(source, target, frozenset(tags))
        shape = (target.channels, source.channels)
        self.weight, self.bias = uniform_parameters(shape, target.channels if bias else None)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        return mix_channels(self.weight, u, self.bias)

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """The spectral norm of M, which is ||W|| exactly."""
        return float(torch.linalg.matrix_norm(self.weight.detach().double(), 2))

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, bias={self.bias is not None}"


def mix_channels(
    M: Float[Tensor, "o i"], u: Float[Tensor, "b i *grid"], bias: Float[Tensor, " o"] | None = None
) -> Float[Tensor, "b o *grid"]:
    """sum_i M_oi u_i(x) + b_o. Channels that lie last do so in the image, and are mixed faster where points are many.

    On a processor oneDNN's convolution does it where there are many points; it knows no double precision. For a single
    thread and fewer than 16 samples torch would take a slower one, so that parts of a sample go for samples here, which
    makes no difference at a point.
    """
    if not lies_channels_last(u):
        weight, v = M.expand(u.shape[0], -1, -1), u.flatten(2)
        out = torch.bmm(weight, v) if bias is None else torch.baddbmm(bias[:, None], weight, v)
        return out.unflatten(2, u.shape[2:])
    if torch.compiler.is_exporting():  # a program is compiled as it stands: nothing is reshaped in it
        return CONVOLUTION[u.ndim - 2](u, M.view(*M.shape, *(1,) * (u.ndim - 2)), bias)
    v = u.movedim(1, -1)
    if len(M) == 1 or v[..., 0].numel() < MANY or v.dtype == torch.float64 or v.device.type != "cpu":
        return F.linear(v, M, bias).movedim(-1, 1)
    parts = math.gcd(v.shape[1], 16)
    samples = v.reshape(parts * v.shape[0], v.shape[1] // parts, -1, v.shape[-1]).movedim(-1, 1)
    out = F.conv2d(samples, M[:, :, None, None], bias)
    return out.movedim(1, -1).reshape(*v.shape[:-1], -1).movedim(-1, 1)
