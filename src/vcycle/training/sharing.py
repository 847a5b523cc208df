"""One network on several devices: a copy on each (DDP), or a part of every parameter on each (FSDP2)."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal, cast

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

Strategy = Literal["ddp", "fsdp"]


def shared(network: nn.Module, strategy: Strategy, size: int, device: torch.device) -> nn.Module:
    """The network to call in the forward pass, whose gradients are means over `size` processes.

    All begin with the first one's weights. With 'fsdp' the parameters of `network` itself become DTensors; whole ones
    exist from the forward to the end of the backward pass, so that moments are divided by the number of processes.
    """
    if strategy == "ddp":
        # Weights of one channel have two layouts at once, and the warning does not know.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides", UserWarning)
        copies = DistributedDataParallel(network)
        # Buffers are equal and stay so; sending them at every forward pass would also spoil several in one step.
        copies.broadcast_buffers = False
        return copies
    for name, p in network.named_parameters():
        if p.ndim == 0:
            raise ValueError(f"strategy fsdp divides the first axis of parameters and {name} has none: use ddp")
        p.data = p.data.contiguous()
    for tensor in network.state_dict().values():
        values = tensor.contiguous()
        dist.broadcast(values, 0)
        tensor.copy_(values)
    return cast(nn.Module, fully_shard(network, mesh=init_device_mesh(device.type, (size,))))


@contextmanager
def exchange(network: nn.Module, now: bool) -> Generator[None]:
    """Passes whose gradients the processes exchange, or keep for a later exchange."""
    if isinstance(network, DistributedDataParallel) and not now:
        with network.no_sync():
            yield
        return
    if isinstance(network, FSDPModule):
        network.set_requires_gradient_sync(now)
    yield


def require_gradients(network: nn.Module) -> None:
    """Raises ValueError where a parameter took no part in a step: copies would wait for its gradient for ever."""
    for name, p in network.named_parameters():
        if p.requires_grad and p.grad is None:
            raise ValueError(
                f"parameter {name} had no part in this step, and copies exchange all gradients: freeze it, or train in "
                "one process"
            )


def whole(tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """A tensor of which each process may hold a part."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def laid_out_like(model: Shaped[Tensor, "..."], tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """A whole tensor as a model of the same shape is held: in its memory layout, or this process's part of it."""
    if tensor.shape != model.shape:
        return tensor
    if isinstance(model, DTensor):
        return distribute_tensor(tensor.to(model.device), model.device_mesh, model.placements)
    # Optimizers keep their moments in the memory layout of the parameter; rounding may depend on it.
    return torch.empty_like(model, dtype=tensor.dtype).copy_(tensor)
