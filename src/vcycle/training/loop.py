"""The training loop: one process, every step a pure function of the state before it."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch import Tensor, nn

from vcycle.training.batch import Batch, Forward, Loss, Stream, once
from vcycle.training.checkpoint import State, read_checkpoint, snapshot, write_checkpoint, write_weights
from vcycle.training.log import Log, Row
from vcycle.training.progress import progress
from vcycle.training.result import Diverged, Result
from vcycle.training.schedules import Rates
from vcycle.training.settings import Settings
from vcycle.training.signals import Interruption

Validate = Callable[[nn.Module], dict[str, float]]


def train(
    network: nn.Module,
    stream: Stream,
    loss: Loss,
    validate: Validate,
    settings: Settings,
    folder: Path,
    *,
    steps_per_epoch: float | None = None,
    forward: Forward = once,
    console: Console | None = None,
) -> Result:
    """Minimise the mean over batches of loss(network(inputs), batch); keep the weights that are best on validation.

    Writes weights.safetensors (best), log.jsonl, log.csv and checkpoint/ into `folder`, and goes on from the
    checkpoint found there. Interrupted at any point and resumed, a run on a CPU ends with the same bits.
    Ctrl-C and SIGTERM finish the step, write a checkpoint and return. `validate` sees the network in evaluation mode
    and without gradients, before the first step, every `validate_every` steps and after the last.

    `forward` is what a step makes of network, batch and its number: the prediction and what it is compared with.

    Raises Diverged when a number is NaN or infinite; ValueError when the folder belongs to a run with other settings.
    """
    console = console or Console(stderr=True)
    with _threads(settings.threads), Interruption() as interruption:
        run = _Run(network, loss, validate, settings, folder, steps_per_epoch, forward)
        with torch.random.fork_rng([d for d in (run.fabric.device,) if d.type == "cuda"]), closing(run.start()):
            if run.state.step > 0:
                console.print(f"going on from step {run.state.step} of {settings.steps} in {folder}", soft_wrap=True)
            with progress(console, run.state.step, settings.steps) as shown:
                while run.state.ended is None and interruption.signal is None:
                    run.step(stream(run.state.step))
                    shown.update(run.state.step, *run.look())
            if run.state.ended is None:
                run.checkpoint()
    return run.result(interruption.signal)


class _Run:
    """One run: a step changes network, optimizer and state; looking at it reads, validates, logs and stores."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        validate: Validate,
        settings: Settings,
        folder: Path,
        steps_per_epoch: float | None,
        forward: Forward,
    ):
        self.network, self.loss, self.validate, self.forward = network, loss, validate, forward
        self.settings, self.folder, self.steps_per_epoch = settings, folder, steps_per_epoch
        device = _device(settings)
        self.fabric = Fabric(accelerator=device, devices=1, precision=settings.precision)
        self.dtype = torch.float64 if settings.precision == "64-true" else torch.float32
        self.optimizer = settings.optimizer.build(network.parameters())
        _, self.stepper = self.fabric.setup(network, self.optimizer)
        self.scaling = self.fabric.strategy.precision
        self.state, self.best = State(), {}
        # Losses and gradient norms wait on the device: reading each one at once would keep a GPU from working ahead.
        self.unread: list[tuple[Tensor, Tensor]] = []
        self.began = time.monotonic()

    def start(self) -> Log:
        """Go on from the checkpoint, or look at the untrained network; opens the log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = read_checkpoint(self.folder, self._identity(), self.network, self.optimizer)
        metrics = None
        if found is None:
            metrics = self._validated()
        else:
            self.state, self.best = found
            self.began -= self.state.seconds
            self.scaling.load_state_dict(self.state.scaler)
            # The file may hold better weights from beyond the checkpoint, which belong to steps not yet taken.
            write_weights(self.folder, self.best, self.state.best_step, self.state.best)
        columns = ["step", "epoch", "learning_rate", "loss", "gradient_norm"]
        self.log = Log(self.folder, [*columns, *map(_column, metrics or self.state.best), "seconds"], self.state.log)
        if metrics is not None:
            self._write_row(metrics)
            self._judge(metrics)
        self.network.train()
        return self.log

    def step(self, batch: Batch) -> None:
        """One step of the optimizer."""
        _seed(self.settings.seed, self.state.step, self.fabric.device)
        rates = self._rates(self.state.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rates.factor * self.settings.optimizer.lr
            group["betas"] = (rates.momentum or self.settings.optimizer.betas[0], group["betas"][1])
        batch = batch.to(self.fabric.device, self.dtype)
        with self.fabric.autocast():
            prediction, compared = self.forward(self.network, batch, self.state.step)
        loss = self.loss(prediction.to(self.dtype), compared).mean()
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        largest = self.settings.clip or math.inf
        norm = self.fabric.clip_gradients(self.network, self.stepper, max_norm=largest, error_if_nonfinite=False)
        self.stepper.step()
        self.unread.append((loss.detach(), cast(Tensor, norm).detach()))
        self.state.step += 1

    def look(self) -> tuple[float | None, dict[str, float] | None]:
        """What is due after this step: the mean loss since the last row of the log, and the validation metrics."""
        state, settings = self.state, self.settings
        last = state.step == settings.steps
        loss, metrics = None, None
        if last or state.step % settings.validate_every == 0:
            self._read()
            metrics = self._validated()
        if metrics is not None or state.step % settings.log_every == 0:
            self._read()
            loss = self._write_row(metrics)
        if metrics is not None:
            self._judge(metrics)
        if last:
            state.ended = "finished"
        if state.ended is not None or state.step % settings.checkpoint_every == 0:
            self.checkpoint()
        return loss, metrics

    def checkpoint(self) -> None:
        """Store everything that the next step depends on."""
        self._read()
        self.state.seconds = time.monotonic() - self.began
        self.state.log = self.log.lengths()
        self.state.scaler = self.scaling.state_dict()
        write_checkpoint(self.folder, self.state, self._identity(), self.network, self.optimizer, self.best)

    def result(self, signal: int | None) -> Result:
        state = self.state
        interrupted = signal if state.ended is None else None
        return Result(
            folder=self.folder,
            step=state.step,
            steps=self.settings.steps,
            ended=state.ended or "interrupted",
            best_step=state.best_step,
            best=state.best,
            seconds=state.seconds,
            interrupted=interrupted,
        )

    def _rates(self, step: int) -> Rates:
        interval = self.settings.schedule_interval
        return self.settings.schedule(step // interval, math.ceil(self.settings.steps / interval))

    def _read(self) -> None:
        """Bring losses and norms from the device and refuse numbers that are none."""
        first = self.state.step - len(self.unread) + 1
        pairs = torch.stack([torch.stack(pair) for pair in self.unread]).tolist() if self.unread else []
        self.unread.clear()
        for step, (loss, norm) in enumerate(pairs, start=first):
            # 16-bit training meets infinite gradients on its search for a loss scale and skips those steps itself.
            if not math.isfinite(loss) or not (math.isfinite(norm) or self.scaling.state_dict()):
                what = "loss" if not math.isfinite(loss) else "gradient"
                raise Diverged(self._advice(f"the {what} is {loss if what == 'loss' else norm} at step {step}"))
            self.state.losses.append(loss)
            self.state.norms.append(norm)

    def _validated(self) -> dict[str, float]:
        self.network.eval()
        with torch.no_grad():
            metrics = self.validate(self.network)
        self.network.train()
        select = self.settings.select
        if select not in metrics:
            raise ValueError(f"no validation metric is called {select!r}: select one of {', '.join(metrics)}")
        if not math.isfinite(metrics[select]):
            raise Diverged(self._advice(f"validation {select} is {metrics[select]} after step {self.state.step}"))
        return metrics

    def _judge(self, metrics: dict[str, float]) -> None:
        """Keep the weights if they are the best so far; stop when patience ends."""
        state, select = self.state, self.settings.select
        if not state.best or metrics[select] < state.best[select]:
            state.best, state.best_step, state.waiting = metrics, state.step, 0
            self.best = snapshot(self.network)
            write_weights(self.folder, self.best, state.step, metrics)
            return
        state.waiting += 1
        if 0 < self.settings.patience <= state.waiting:
            state.ended = "patience"

    def _write_row(self, metrics: dict[str, float] | None) -> float | None:
        state = self.state
        loss, norm = _mean(state.losses), _mean(state.norms)
        lr = None if state.step == 0 else self._rates(state.step - 1).factor * self.settings.optimizer.lr
        epoch = None if self.steps_per_epoch is None else state.step / self.steps_per_epoch
        row: Row = {"step": state.step, "epoch": epoch, "learning_rate": lr, "loss": loss, "gradient_norm": norm}
        row |= {_column(name): value for name, value in (metrics or {}).items()}
        self.log.write(row | {"seconds": round(time.monotonic() - self.began, 3)})
        state.losses, state.norms = [], []
        return loss

    def _advice(self, symptom: str) -> str:
        lr, clip = self.settings.optimizer.lr, self.settings.clip
        clipping = "clip the gradients (clip 1.0)" if clip is None else f"clip the gradients harder (now {clip:g})"
        kept = f"; {self.folder / 'weights.safetensors'} keeps step {self.state.best_step}" if self.best else ""
        return (
            f"{symptom}: lower the learning rate (now {lr:g}), {clipping}, or look for zeros and extreme values in the "
            f"data, and train into a new folder{kept}"
        )

    def _identity(self) -> dict[str, Any]:
        """The settings that decide the result; the others may change when a run goes on."""
        free = ("accelerator", "threads", "checkpoint_every")
        kept = {name: value for name, value in asdict(self.settings).items() if name not in free}
        return kept | {"schedule": {"name": type(self.settings.schedule).__name__, **kept["schedule"]}}


def _device(settings: Settings) -> str:
    present = torch.cuda.is_available()
    device = ("cuda" if present else "cpu") if settings.accelerator == "auto" else settings.accelerator
    if device == "cuda" and not present:
        raise ValueError("accelerator cuda was asked for and there is no CUDA device: use auto or cpu")
    if settings.precision == "16-mixed" and device != "cuda":
        raise ValueError("precision 16-mixed needs a CUDA device: use bf16-mixed or 32-true")
    return device


def _column(metric: str) -> str:
    return f"validation_{metric}"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _seed(seed: int, step: int, device: torch.device) -> None:
    """Random numbers drawn inside a step depend on (seed, step) alone."""
    state = int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> 1)
    torch.default_generator.manual_seed(state)
    if device.type == "cuda":
        torch.cuda.manual_seed(state)


@contextmanager
def _threads(count: int | None) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
