"""Training runs of a second: `python tiny_run.py FOLDER HOW:STEP ...` each hit by a signal while working on step STEP.

HOW: SIGINT, SIGTERM, SIGKILL, or 'in-checkpoint' for a SIGKILL between writing a checkpoint and putting it in place.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from vcycle.spaces import Domain
from vcycle.training import Batch, FieldStream, OneCycle, Optimizer, Result, Settings, Stream, l2, train

SETTINGS = Settings(
    steps=60,
    optimizer=Optimizer(lr=0.01, weight_decay=1e-4),
    schedule=OneCycle(),
    clip=0.5,
    threads=1,
    accelerator="cpu",
    validate_every=20,
    log_every=7,
    checkpoint_every=25,
    seed=11,
)


class Tiny(nn.Sequential):
    """Draws random numbers (dropout), keeps buffers (batch norm) and stores weights channels-last."""

    def __init__(self) -> None:
        torch.manual_seed(5)
        inner = (nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.GELU(), nn.Dropout(0.1), nn.Conv2d(6, 1, 1))
        super().__init__(*inner)
        self.to(memory_format=torch.channels_last)


def fields() -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(3)) + 0.5
    return inputs, inputs.cumsum(2) / 8


def run(folder: Path, settings: Settings = SETTINGS, stream: Stream | None = None) -> Result:
    inputs, targets = fields()
    own = FieldStream(inputs[:32], targets[:32], batch=5, seed=17)
    loss, held_out = l2(Domain.unit(2)), Batch(inputs[32:], targets[32:])

    def validate(network: nn.Module) -> dict[str, float]:
        return {"loss": float(loss(network(held_out.inputs), held_out).mean())}

    return train(Tiny(), stream or own, loss, validate, settings, folder, steps_per_epoch=own.steps_per_epoch)


def hit(stream: Stream, how: str, step: int) -> Stream:
    def wrapped(s: int) -> Batch:
        if s == step:
            os.kill(os.getpid(), signal.Signals[how])
        return stream(s)

    return wrapped


def interrupted(folder: Path, how: str, step: int) -> None:
    inputs, targets = fields()
    stream: Stream = FieldStream(inputs[:32], targets[:32], batch=5, seed=17)
    if how == "in-checkpoint":
        put_in_place = os.replace

        def die_instead(source: Path, target: Path) -> None:
            if target.parent.name == "checkpoint" and target.exists():
                os.kill(os.getpid(), signal.SIGKILL)
            put_in_place(source, target)

        os.replace = die_instead
    else:
        stream = hit(stream, how, step)
    result = run(folder, stream=stream)
    (folder / "said.txt").write_text(str(result))


def main() -> None:
    # One process each, forked after the imports, which take longer than all the runs.
    folder, statuses = Path(sys.argv[1]), {}
    for case in sys.argv[2:]:
        how, step = case.split(":")
        child = os.fork()
        if child == 0:
            interrupted(folder / case, how, int(step))
            os._exit(0)
        statuses[case] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(statuses))


if __name__ == "__main__":
    main()
