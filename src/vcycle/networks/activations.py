"""Activations by name."""

from torch import nn

from vcycle.networks.checks import did_you_mean

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "gelu": nn.GELU,  # the exact one, with the error function
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "leaky_relu": nn.LeakyReLU,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}


def activation(name: str) -> nn.Module:
    """The activation of that name.

    >>> activation("gelu")
    GELU(approximate='none')
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}{did_you_mean(name, list(ACTIVATIONS))}")
    return ACTIVATIONS[name]()
