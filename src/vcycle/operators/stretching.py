"""Linear interpolation between values that include both ends of every axis."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vcycle.operators.base import Adjoint, LinearOperator
from vcycle.spaces import Space

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Stretching(LinearOperator):
    """(P u)_k = u(k (n - 1) / (2n - 1)), k = 0, ..., 2n - 1, u(x) linear between u_0, ..., u_{n - 1}: n -> 2n points.

    The first and the last value stay what they are: points are taken to lie on both ends of an axis, as `align_corners`
    in torch does. Between cells this is off by up to a quarter of a coarse cell; see Interpolation.
    """

    def __init__(self, space: Space):
        domain = space.domain
        if any(domain.periodic(axis) for axis in range(domain.dimension)):
            raise ValueError(
                f"both ends of a periodic axis are one point, so on {domain} nothing lies between: use Interpolation"
            )
        super().__init__(space, space)

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *fine"]:
        return F.interpolate(u, scale_factor=2, mode=LINEAR[u.ndim - 2], align_corners=True)

    def adjoint(self) -> LinearOperator:
        return Adjoint(self, refinement=2.0)

    def norm_bound(self) -> float | None:
        """None: the weights of a value inside add up to more than 2 per axis."""
        return None

    def extra_repr(self) -> str:
        return f"{self.source.channels} channels"
