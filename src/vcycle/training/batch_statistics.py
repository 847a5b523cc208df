"""Modules that see the batch as a whole."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from vcycle.networks.evonorm import EvoNormB0


def batch_statistics(network: nn.Module) -> str | None:
    """The name of the first module that takes means over the batch and keeps them running; None if there is none."""
    return next((name for name, part in network.named_modules() if isinstance(part, _BatchNorm | EvoNormB0)), None)
