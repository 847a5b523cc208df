"""The matrix that acts on the channels at every point."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.operators.stencil import CONVOLUTION, uniform_parameters
from vcycle.spaces import Space, lies_channels_last


class Pointwise(LinearOperator):
    """(W u)_o(x) = sum_i M_oi u_i(x) + b_o: a 1 x 1 convolution. With a bias the map is affine (tag 'affine')."""

    def __init__(self, source: Space, target: Space, *, bias: bool = False):
        tags = {"translation_equivariant", "refines"} | ({"affine"} if bias else set())
        super().__init__(source, target, frozenset(tags))
        shape = (target.channels, source.channels)
        self.weight, self.bias = uniform_parameters(shape, target.channels if bias else None)

    def forward(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        if lies_channels_last(u):
            return self._convolved(u)
        M, v = self.weight.expand(u.shape[0], -1, -1), u.flatten(2)
        out = torch.bmm(M, v) if self.bias is None else torch.baddbmm(self.bias[:, None], M, v)
        return out.unflatten(2, u.shape[2:])

    def _convolved(self, u: Float[Tensor, "b i *grid"]) -> Float[Tensor, "b o *grid"]:
        """W u by a convolution, which leaves the channels last.

        For a single thread and fewer than 16 samples torch would take a slower convolution than oneDNN's: parts of a
        sample go for samples, which no operator at points can tell.
        """
        if torch.compiler.is_exporting():  # a program is compiled for what it shows: no reshaping there
            dimension = self.source.domain.dimension
            return CONVOLUTION[dimension](u, self.weight.view(*self.weight.shape, *(1,) * dimension), self.bias)
        v = u.movedim(1, -1)
        parts = math.gcd(v.shape[1], 16)
        samples = v.reshape(parts * len(v), v.shape[1] // parts, -1, v.shape[-1]).movedim(-1, 1)
        out = F.conv2d(samples, self.weight[:, :, None, None], self.bias)
        return out.movedim(1, -1).reshape(*v.shape[:-1], -1).movedim(-1, 1)

    def adjoint(self) -> LinearOperator:
        return Adjoint(self)

    def norm_bound(self) -> float | None:
        """The spectral norm of M, which is ||W|| exactly."""
        return float(torch.linalg.matrix_norm(self.weight.detach().double(), 2))

    def extra_repr(self) -> str:
        return f"{self.source.channels} -> {self.target.channels}, bias={self.bias is not None}"
