"""Activations that configurations may name."""

from typing import Literal

Activation = Literal["gelu", "relu", "tanh", "silu", "sigmoid", "elu", "selu", "leaky_relu", "softplus", "identity"]
