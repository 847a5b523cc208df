"""Weights in memory as the products with them want them."""

import torch
from torch import Tensor, nn

from vcycle.networks.stencil_network import StencilNetwork
from vcycle.operators import Fourier, Spectral, mode_by_mode


def align_weights(network: nn.Module) -> None:
    """Hold stencils channels last and the matrices of spectral operators mode by mode; else every use copies them.

    For training: files hold weights as they are without. Networks of other operators stay as they are.
    """
    for module in network.modules():
        if isinstance(module, StencilNetwork):
            for weight in module.parameters():
                if weight.ndim == 4:
                    weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        elif isinstance(module, Fourier | Spectral) and isinstance(module.weight, Tensor) and not module.separable:
            module.weight.data = mode_by_mode(module.weight.data, pairs=isinstance(module, Fourier))
