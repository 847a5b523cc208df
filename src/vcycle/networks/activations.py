"""Activations by name."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from vcycle.networks.cauchy import Cauchy
from vcycle.networks.checks import did_you_mean
from vcycle.networks.evonorm import EvoNormB0, EvoNormS0
from vcycle.networks.polynomials import PolyNorm, PolyReLU
from vcycle.networks.star import Star
from vcycle.spaces import Space


class Sine(nn.Module):
    """sin u."""

    def forward(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return u.sin()


ACTIVATIONS: dict[str, Callable[[Space], nn.Module]] = {
    "gelu": lambda space: nn.GELU(),  # the exact one, with the error function
    "relu": lambda space: nn.ReLU(),
    "tanh": lambda space: nn.Tanh(),
    "silu": lambda space: nn.SiLU(),
    "sigmoid": lambda space: nn.Sigmoid(),
    "elu": lambda space: nn.ELU(),
    "selu": lambda space: nn.SELU(),
    "leaky_relu": lambda space: nn.LeakyReLU(),
    "softplus": lambda space: nn.Softplus(),
    "identity": lambda space: nn.Identity(),
    "sine": lambda space: Sine(),
    "cauchy": Cauchy,
    "star": Star,
    "polyrelu": lambda space: PolyReLU(),
    "polynorm": lambda space: PolyNorm(),
    "evonorm_s0": EvoNormS0,
    "evonorm_b0": EvoNormB0,
}


def activation(name: str, space: Space) -> nn.Module:
    """The activation of that name, for fields in `space`: some have parameters of their own per channel.

    >>> from vcycle.spaces import Domain
    >>> activation("gelu", Space(Domain.unit(2), 3))
    GELU(approximate='none')
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}{did_you_mean(name, list(ACTIVATIONS))}")
    return ACTIVATIONS[name](space)
