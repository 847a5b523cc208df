"""Activations by name."""

from collections.abc import Callable

from torch import nn

from vcycle.networks.checks import did_you_mean
from vcycle.spaces import Space

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
