"""Layers that keep their input only: less memory for a training step, more time."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from vcycle.training.batch_statistics import batch_statistics


@contextmanager
def recomputed(network: nn.Module) -> Generator[None]:
    """In here every layer forgets what it computed until its gradient is asked for, which computes it again.

    The same operations on the same numbers, dropout included: gradients are the same to the bit. Layers are the members
    of lists of modules, and modules without a list in them. A step holds their inputs and the inside of one layer.

    Raises ValueError for running statistics of batches, which would be counted twice.
    """
    if (name := batch_statistics(network)) is not None:
        raise ValueError(
            f"{name} keeps running statistics, which a layer that is computed twice would count twice: "
            "set recompute to false, or take another normalisation"
        )
    layers = set(_layers(network))
    for layer in layers:
        layer.forward = partial(_lean, layer.forward)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _lean(forward: Any, *inputs: Any, **options: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*inputs, **options)
    return checkpoint(forward, *inputs, use_reentrant=False, **options)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """The members of the outermost lists, and the largest modules without a list in them."""
    if isinstance(module, nn.Sequential | nn.ModuleList):
        yield from module
    elif any(isinstance(part, nn.Sequential | nn.ModuleList) for part in module.modules()):
        for child in module.children():
            yield from _layers(child)
    else:
        yield module
