"""Activations that are polynomials of another: PolyReLU and PolyNorm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

DEGREE = 3
EPSILON = 1e-6  # inside the root mean square


class PolyReLU(nn.Module):
    """sigma(u) = a_0 + sum_i a_i relu(u)^i, i = 1, 2, 3, with learned a; a_0 = 0 and a_i = 1/3 at the start.

    Source: P110, section 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((DEGREE,), 1 / DEGREE))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        positive = u.relu()
        a, b, c = self.weight
        return self.bias + positive * (a + positive * (b + positive * c))


class PolyNorm(nn.Module):
    """sigma(u) = b + sum_i w_i u^i / rms(u^i), i = 1, 2, 3; rms is the root mean square over the channels of a point.

    Powers are taken first and normalised after, so sigma does not change when u is multiplied by a positive number.
    b = 0 and w_i = 1/3 at the start. Source: P110, section 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((DEGREE,), 1 / DEGREE))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, u: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:
        total, power = self.bias, torch.ones_like(u)
        for i in range(DEGREE):
            power = power * u
            total = total + self.weight[i] * power * (power.square().mean(1, keepdim=True) + EPSILON).rsqrt()
        return total
