"""Runs of two processes: `python process_runs.py FOLDER` makes FOLDER/CASE for every case of RUNS.

Each process says in FOLDER/CASE/process_RANK.json how it ended.
"""

import json
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from vcycle.app.cli import main as main_of_vcycle
from vcycle.spaces import Domain
from vcycle.training import Batch, FieldStream, OneCycle, Optimizer, Result, Settings, Stream, l2, train

SIZE = 2
SETTINGS = Settings(
    steps=12,
    optimizer=Optimizer(lr=0.01, weight_decay=1e-4),
    schedule=OneCycle(),
    clip=0.5,
    precision="64-true",
    threads=1,
    accelerator="cpu",
    validate_every=6,
    log_every=4,
    checkpoint_every=5,
    seed=11,
)


class Small(nn.Module):
    """A convolutional network with a buffer and weights stored channels-last."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layers = nn.Sequential(nn.Conv2d(1, 7, 3, padding=1), nn.GELU(), nn.Conv2d(7, 1, 3, padding=1))
        self.layers.to(memory_format=torch.channels_last)
        self.register_buffer("scale", torch.tensor([1.5]))

    def forward(self, a: Tensor) -> Tensor:
        return self.scale * self.layers(a)


def twice(network: nn.Module, batch: Batch, step: int) -> tuple[Tensor, Batch]:
    """Two applications with the gradient of both, as in training through a rollout."""
    return network(network(batch.inputs)), batch


def fields() -> tuple[Tensor, Tensor]:
    inputs = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 0.5
    return inputs, inputs.cumsum(2) / 8


def stream() -> Stream:
    inputs, targets = fields()
    return FieldStream(inputs[:32], targets[:32], batch=8, seed=17)


def run(folder: Path, settings: Settings = SETTINGS, batches: Stream | None = None, network=None, **options) -> Result:
    inputs, targets = fields()
    loss, held_out = l2(Domain.unit(2)), Batch(inputs[32:], targets[32:])

    def validate(module: nn.Module) -> dict[str, float]:
        return {"loss": float(loss(module(held_out.inputs), held_out).mean())}

    return train(network or Small(), batches or stream(), loss, validate, settings, folder, **options)


def hit(step: int) -> Stream:
    """The second process alone gets a signal while it works on a step."""
    batches = stream()

    def wrapped(s: int) -> Batch:
        if s == step and os.environ.get("RANK") == "1":
            os.kill(os.getpid(), signal.SIGTERM)
        return batches(s)

    return wrapped


def poisoned(step: int) -> Batch:
    """One sample, the last of the second process's share, is nan at step 6."""
    batch = stream()(step)
    if step == 6:
        batch.inputs[-1] = math.nan
    return batch


def missing(step: int) -> Batch:
    """The second process cannot read its share of step 3."""
    if step == 3 and os.environ["RANK"] == "1":
        raise OSError("shard 7 cannot be read")
    return stream()(step)


def interrupted(folder: Path, strategy: str) -> Result:
    return run(folder, replace(SETTINGS, strategy=strategy), hit(3))


def without_room(folder: Path) -> Result:
    """The first process cannot write the checkpoint: a file has its name."""
    if os.environ["RANK"] == "0":
        (folder / "checkpoint").write_text("")
    return run(folder)


class Scalar(Small):
    """With a parameter that has no axes, and one that nothing depends on."""

    def __init__(self, idle: bool) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))
        self.idle = nn.Parameter(torch.ones(2), requires_grad=idle)

    def forward(self, a: Tensor) -> Tensor:
        return self.factor * super().forward(a)


def command(folder: Path, out: str, *options: str) -> Result | None:
    """The command line with a configuration that lies in the folder."""
    given = ["train", "--config", str(folder / "run.yaml"), "--out", str(folder / out), *options]
    status = main_of_vcycle(given)
    if status != 0:
        raise SystemError(f"status {status}")
    return None


FSDP = replace(SETTINGS, strategy="fsdp")
# Each in two processes of its own, as torchrun starts them.
RUNS: dict[str, Callable[[Path], Result | None]] = {
    "ddp": lambda folder: run(folder),
    "ddp-twice": lambda folder: run(folder, replace(SETTINGS, accumulate=2), forward=twice),
    "ddp-recomputed": lambda folder: run(folder, replace(SETTINGS, recompute=True)),
    "ddp-compiled": lambda folder: run(folder, replace(SETTINGS, compile=True, accumulate=2)),
    "ddp-interrupted": lambda folder: interrupted(folder, "ddp"),
    "ddp-scalar": lambda folder: run(folder, replace(SETTINGS, steps=2), network=Scalar(idle=False)),
    "fsdp": lambda folder: run(folder, FSDP),
    "fsdp-twice": lambda folder: run(folder, replace(FSDP, accumulate=2), forward=twice),
    "fsdp-recomputed": lambda folder: run(folder, replace(FSDP, recompute=True)),
    "fsdp-compiled": lambda folder: run(folder, replace(FSDP, compile=True, accumulate=2)),
    "fsdp-interrupted": lambda folder: interrupted(folder, "fsdp"),
    "fsdp-resumed": lambda folder: run(folder, FSDP),  # from a checkpoint of one process
    "fsdp-scalar": lambda folder: run(folder, FSDP, network=Scalar(idle=False)),
    "missing": lambda folder: run(folder, batches=missing),
    "without-room": without_room,
    "indivisible": lambda folder: run(folder, replace(SETTINGS, accumulate=3)),
    "batch-norm": lambda folder: run(folder, network=nn.Sequential(Small(), nn.BatchNorm2d(1))),
    "idle": lambda folder: run(folder, network=Scalar(idle=True)),
    "diverged": lambda folder: run(folder, batches=poisoned),
    "command": lambda folder: command(folder, "r"),
    "command-refused": lambda folder: command(folder, "refused", "--batch", "3"),
}


def child(rank: int, port: int, case: str, folder: Path) -> None:
    # As torchrun does it. Whoever waits for ever is ended by the alarm.
    signal.alarm(200)
    os.environ |= {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(SIZE)}
    with open(folder / f"process_{rank}.txt", "w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    try:
        result = RUNS[case](folder)
        ended = {} if result is None else {"step": result.step, "by": result.interrupted}
    except Exception as error:
        ended = {"error": type(error).__name__, "said": str(error)}
    (folder / f"process_{rank}.json").write_text(json.dumps(ended))
    sys.stdout.flush()


def main() -> None:
    # Forked after the imports, which take longer than all the runs.
    for case in RUNS:
        folder = Path(sys.argv[1]) / case
        folder.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        children = []
        for rank in range(SIZE):
            children.append(os.fork())
            if children[-1] == 0:
                child(rank, port, case, folder)
                os._exit(0)
        for pid in children:
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
