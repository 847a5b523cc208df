"""Activations that configurations may name."""

from typing import Literal

Activation = Literal[
    "gelu",
    "relu",
    "tanh",
    "silu",
    "sigmoid",
    "elu",
    "selu",
    "leaky_relu",
    "softplus",
    "identity",
    "sine",
    "cauchy",
    "star",
    "polyrelu",
    "polynorm",
    "evonorm_s0",
    "evonorm_b0",
]
