"""Learned search directions: a nonlinear map of the residual."""

from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.preconditioner import LearnedPreconditioner, energy_left
from vcycle.operators import FiniteVolume

Field = Float[Tensor, "b 1 *grid"]


class LearnedDirection(LearnedPreconditioner):
    """d = D^-1/2 (s + N(s, log D)), s = D^-1/2 r scaled to mean square 1, D the diagonal of A less its mean logarithm.

    N is any network from two channels to one (networks.UNet in the benchmark). d is not linear in r, so that
    hybrid.conjugate_directions is needed; multiplying r by a positive number changes nothing. Source: P118, which has
    one A, where we show N the diagonal, and the loss residual_left; energy_left, what a step leaves of the energy, is
    blind to scale too and learned in a fifth of the steps (docs/preconditioners.md), so it is ours.
    """

    own_steps: ClassVar[int] = 7

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network: nn.Module = network

    def at(self, A: FiniteVolume) -> Callable[[Tensor], Tensor]:
        axes = tuple(range(1, A.diagonal.ndim))
        log = A.diagonal.log()
        log = log - log.mean(axes, keepdim=True)
        root = (log / 2).exp()
        dtype = next(self.network.parameters()).dtype

        def direction(r: Field) -> Field:
            s = r / root
            s = s / s.square().mean(axes, keepdim=True).sqrt().clamp_min(torch.finfo(s.dtype).tiny)
            return (s + self.network(torch.cat([s, log], 1).to(dtype)).to(s)) / root

        return direction

    def loss(self, A: FiniteVolume, e: Field) -> Float[Tensor, ""]:
        return energy_left(A, e, self.at(A)(A(e))).log().mean()
