"""One step of an optimizer, on one device or on several that share it, and in as many parts as memory asks for."""

import math
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vcycle.networks import align_weights
from vcycle.spaces import chosen, kept_memory, suit_vectors
from vcycle.training.batch import Batch, Forward, Loss
from vcycle.training.batch_statistics import batch_statistics
from vcycle.training.compilation import compiled
from vcycle.training.processes import Processes
from vcycle.training.recompute import recomputed
from vcycle.training.settings import Settings
from vcycle.training.sharing import exchange, require_gradients, shared, whole


class Learner:
    """A network with its optimizer on a device: theta <- theta - rate * Adam(gradient of the mean loss of a batch).

    Every process sees its share of the batch, in `accumulate` parts; gradients are averaged over parts and processes,
    so that the step is that of the whole batch up to rounding.

    Raises ValueError for a device that is not there, and where a step would depend on how batches are divided.
    """

    def __init__(self, network: nn.Module, loss: Loss, forward: Forward, settings: Settings, processes: Processes):
        self.network, self.loss, self.forward, self.settings = network, loss, forward, settings
        self.rank, self.parts = processes.rank, settings.accumulate
        if processes.size * self.parts > 1:
            _require_separate_samples(network)
        self.fabric = Fabric(**_device(settings, processes), precision=settings.precision)
        self.dtype = torch.float64 if settings.precision == "64-true" else torch.float32
        self.fabric.setup_module(network)
        align_weights(network)
        self.exchanging = network
        if processes.size > 1:
            self.exchanging = shared(network, settings.strategy, processes.size, self.device)
        self.called = compiled(self.exchanging, self.device) if settings.compile else self.exchanging
        self.optimizer = settings.optimizer.build(network.parameters())
        self.stepper = cast(torch.optim.Optimizer, self.fabric.setup_optimizers(self.optimizer))
        self.scaling = self.fabric.strategy.precision

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    def step(self, number: int, batch: Batch) -> tuple[Tensor, Tensor]:
        """Step `number` with this process's share of the batch: the share's loss and the whole gradient's norm."""
        settings, rates = self.settings, self.settings.rates(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rates.factor * settings.optimizer.lr
            group["betas"] = (rates.momentum or settings.optimizer.betas[0], group["betas"][1])
        self.optimizer.zero_grad()
        losses = [self._differentiate(number, index, batch.part(index, self.parts)) for index in range(self.parts)]
        if isinstance(self.exchanging, DistributedDataParallel):
            require_gradients(self.network)
        largest = settings.clip or math.inf
        norm = self.fabric.clip_gradients(self.network, self.stepper, max_norm=largest, error_if_nonfinite=False)
        self.stepper.step()
        return sum(losses[1:], losses[0]), whole(cast(Tensor, norm).detach())

    def _differentiate(self, number: int, index: int, part: Batch) -> Tensor:
        """Add the gradient of a part of the batch; the sum is exchanged with other processes after the last part."""
        _seed(self.settings.seed, number, self.rank * self.parts + index, self.device)
        part = part.to(self.device, self.dtype)
        with exchange(self.exchanging, now=index == self.parts - 1):
            with self.fabric.autocast():
                prediction, compared = self.forward(self.called, part, number)
            loss = self.loss(prediction.to(self.dtype), compared).mean() / self.parts
            self.fabric.backward(loss)
        return loss.detach()


@contextmanager
def resources(network: nn.Module, settings: Settings) -> Generator[None]:
    """The threads of a run, its vectors, and either time for memory or memory for time."""
    if settings.precision != "bf16-mixed":
        suit_vectors()
    with threads(settings.threads), recomputed(network) if settings.recompute else kept_memory():
        yield


@contextmanager
def threads(count: int | None) -> Generator[None]:
    """So many CPU threads in here, as many as before after."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _require_separate_samples(network: nn.Module) -> None:
    if (name := batch_statistics(network)) is not None:
        raise ValueError(
            f"{name} takes means over the batch, which then may not be divided: train in one process with "
            "accumulate 1, or take another normalisation"
        )


def _device(settings: Settings, processes: Processes) -> dict[str, Any]:
    """What Fabric is told; torchrun numbers the processes of a machine, and each takes the GPU of its number."""
    device, present = chosen(settings.accelerator).type, torch.cuda.device_count()
    local = int(os.environ["LOCAL_RANK"]) if processes.size > 1 else 0
    if device == "cuda" and local >= present:
        raise ValueError(f"process {local} of this machine has no CUDA device, there are {present}: start as many")
    if settings.precision == "16-mixed" and device != "cuda":
        raise ValueError("precision 16-mixed needs a CUDA device: use bf16-mixed or 32-true")
    if settings.precision == "16-mixed" and settings.strategy == "fsdp" and processes.size > 1:
        raise ValueError("precision 16-mixed scales whole gradients and strategy fsdp has parts: use bf16-mixed or ddp")
    if device == "cuda" and processes.size > 1:
        torch.cuda.set_device(local)
    return {"accelerator": device, "devices": [local] if device == "cuda" else 1}


def _seed(seed: int, step: int, part: int, device: torch.device) -> None:
    """Random numbers drawn inside a step depend on (seed, step, part of the batch) alone; part 0 is (seed, step)."""
    state = int(np.random.SeedSequence((seed, step, part)).generate_state(1, np.uint64)[0] >> 1)
    torch.default_generator.manual_seed(state)
    if device.type == "cuda":
        torch.cuda.manual_seed(state)
