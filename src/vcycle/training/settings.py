"""What a training run is told, apart from its network, data and loss."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch

from vcycle.spaces import Accelerator
from vcycle.training.schedules import OneCycle, Rates, Schedule
from vcycle.training.sharing import Strategy

Precision = Literal["32-true", "64-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class Optimizer:
    """Adam with weight decay added to the gradient (adam) or decoupled from it (adamw); `lr` is the schedule's peak."""

    name: Literal["adam", "adamw"] = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[self.name]
        return kind(list(parameters), lr=self.lr, weight_decay=self.weight_decay, betas=self.betas)


# These change how a run is computed but not what comes out.
FREE = ("accelerator", "strategy", "accumulate", "recompute", "compile", "threads", "checkpoint_every")


@dataclass(frozen=True)
class Settings:
    """Steps, optimizer, schedule, precision, and how often to look.

    `schedule_interval`   steps between changes of the learning rate (a whole epoch in older recipes)
    `clip`                largest gradient norm, None for no clipping
    `select`              the validation metric whose minimum decides which weights are kept
    `patience`            validations without improvement before stopping; 0 never stops early
    `strategy`            what each of several processes holds of the network: all of it (ddp) or a part (fsdp)
    `accumulate`          parts that a process takes its share of a batch in, one after the other
    `recompute`           layers keep their input only and compute the rest again for the gradient (recompute.py)
    `compile`             steps call machine code made for the network, which takes a minute or two (compilation.py)
    `threads`             CPU threads, None for torch's choice
    `seed`                each step seeds torch from (seed, step), for networks that draw random numbers
    """

    steps: int
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = OneCycle()
    schedule_interval: int = 1
    clip: float | None = None
    precision: Precision = "32-true"
    accelerator: Accelerator = "auto"
    strategy: Strategy = "ddp"
    accumulate: int = 1
    recompute: bool = False
    compile: bool = False
    threads: int | None = None
    select: str = "loss"
    patience: int = 0
    validate_every: int = 100
    log_every: int = 10
    checkpoint_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        counts = ("steps", "schedule_interval", "validate_every", "log_every", "checkpoint_every", "accumulate")
        for name in counts:
            if vars(self)[name] < 1:
                raise ValueError(f"{name} is at least 1, got {vars(self)[name]}")
        if self.patience < 0:
            raise ValueError(f"patience is a number of validations, 0 for never stopping early, got {self.patience}")

    def rates(self, step: int) -> Rates:
        """What the schedule says for a step."""
        return self.schedule(step // self.schedule_interval, math.ceil(self.steps / self.schedule_interval))
