"""The training loop: every step is a pure function of the state before it, whoever takes which part of it."""

import math
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from vcycle.training.batch import Batch, Forward, Loss, Stream, once, share
from vcycle.training.checkpoint import State, collect, read_checkpoint, snapshot, write_checkpoint, write_weights
from vcycle.training.learner import Learner, resources
from vcycle.training.log import Log, Row
from vcycle.training.processes import Processes, processes
from vcycle.training.progress import progress
from vcycle.training.result import Diverged, Result, advice
from vcycle.training.settings import FREE, Settings
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

    Started by torchrun, N processes take a part of every batch each and do together what one would do, up to rounding;
    the first one writes. `validate` is called in all of them, and what it returns in the first one counts.

    `forward` is what a step makes of network, batch and its number: the prediction and what it is compared with.

    Raises Diverged when a number is NaN or infinite; ValueError when the folder belongs to a run with other settings.
    """
    with processes() as world, resources(network, settings), Interruption() as interruption:
        console = (console or Console(stderr=True)) if world.first else Console(quiet=True)
        mine, signal = share(stream, world.rank, world.size), None
        run = _Run(world, network, loss, validate, settings, folder, steps_per_epoch, forward)
        with torch.random.fork_rng([d for d in (run.learner.device,) if d.type == "cuda"]), run.opened:
            run.start()
            if run.state.step > 0:
                console.print(f"going on from step {run.state.step} of {settings.steps} in {folder}", soft_wrap=True)
            if settings.compile and run.state.ended is None:
                console.print("the first step compiles the network, which takes a minute or two", soft_wrap=True)
            with progress(console, run.state.step, settings.steps) as shown:
                while run.state.ended is None and (signal := world.agreed(interruption.signal)) is None:
                    run.step(world.together(lambda: mine(run.state.step)))
                    shown.update(run.state.step, *run.look())
            if run.state.ended is None:
                run.checkpoint()
    return run.result(signal)


class _Run:
    """One run: a step changes network, optimizer and state; looking at it reads, validates, logs and stores."""

    log: Log  # of the first process

    def __init__(
        self,
        world: Processes,
        network: nn.Module,
        loss: Loss,
        validate: Validate,
        settings: Settings,
        folder: Path,
        steps_per_epoch: float | None,
        forward: Forward,
    ):
        self.world, self.network, self.validate = world, network, validate
        self.settings, self.folder, self.steps_per_epoch = settings, folder, steps_per_epoch
        self.learner = Learner(network, loss, forward, settings, world)
        self.state, self.best = State(), {}
        # Losses and gradient norms wait on the device: reading each one at once would keep a GPU from working ahead.
        self.unread: list[tuple[Tensor, Tensor]] = []
        self.began = time.monotonic()
        self.opened = ExitStack()

    def start(self) -> None:
        """Go on from the checkpoint, or look at the untrained network; opens the log."""
        self.world.once(lambda: self.folder.mkdir(parents=True, exist_ok=True))
        found = read_checkpoint(self.folder, self._identity(), self.network, self.learner.optimizer)
        self.world.together(lambda: self._require_same_checkpoint(found and found[0].step))
        metrics = None
        if found is None:
            metrics = self._validated()
        else:
            self.state, self.best = found
            self.began -= self.state.seconds
            self.learner.scaling.load_state_dict(self.state.scaler)
            # The file may hold better weights from beyond the checkpoint, which belong to steps not yet taken.
            self.world.once(self._write_weights)
        self.world.once(lambda: self._open_log(list(metrics or self.state.best)))
        if metrics is not None:
            self._write_row(metrics)
            self._judge(metrics)
        self.network.train()

    def step(self, batch: Batch) -> None:
        """One step of the optimizer."""
        self.unread.append(self.learner.step(self.state.step, batch))
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
        self.state.scaler = self.learner.scaling.state_dict()
        tensors = collect(self.network, self.learner.optimizer, self.best)
        self.world.once(lambda: self._write_checkpoint(tensors))

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

    def _read(self) -> None:
        """Bring losses and norms from the device and refuse numbers that are none."""
        if not self.unread:
            return
        first = self.state.step - len(self.unread) + 1
        pairs = self.world.mean(torch.stack([torch.stack(pair) for pair in self.unread])).tolist()
        self.unread.clear()
        for step, (loss, norm) in enumerate(pairs, start=first):
            # 16-bit training meets infinite gradients on its search for a loss scale and skips those steps itself.
            if not math.isfinite(loss) or not (math.isfinite(norm) or self.learner.scaling.state_dict()):
                what = "loss" if not math.isfinite(loss) else "gradient"
                raise Diverged(self._advice(f"the {what} is {loss if what == 'loss' else norm} at step {step}"))
            if norm == 0 and loss > 0 and not self.learner.scaling.state_dict():
                dead = f"the gradient is 0 at step {step}, where the loss is {loss:.3g}"
                raise Diverged(self._advice(f"{dead}: no weight changes the answer any more"))
            self.state.losses.append(loss)
            self.state.norms.append(norm)

    def _validated(self) -> dict[str, float]:
        self.network.eval()
        with torch.no_grad():
            metrics = self.world.same(self.validate(self.network))
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
            self.world.once(self._write_weights)
            return
        state.waiting += 1
        if 0 < self.settings.patience <= state.waiting:
            state.ended = "patience"

    def _write_row(self, metrics: dict[str, float] | None) -> float | None:
        state = self.state
        loss, norm = _mean(state.losses), _mean(state.norms)
        lr = None if state.step == 0 else self.settings.rates(state.step - 1).factor * self.settings.optimizer.lr
        epoch = None if self.steps_per_epoch is None else state.step / self.steps_per_epoch
        row: Row = {"step": state.step, "epoch": epoch, "learning_rate": lr, "loss": loss, "gradient_norm": norm}
        row |= {_column(name): value for name, value in (metrics or {}).items()}
        row["seconds"] = round(time.monotonic() - self.began, 3)
        self.world.once(lambda: self.log.write(row))
        state.losses, state.norms = [], []
        return loss

    def _require_same_checkpoint(self, step: int | None) -> None:
        if step != self.world.same(step):
            raise ValueError(f"{self.folder} is not the same folder for all processes: give one that all machines see")

    def _open_log(self, metrics: list[str]) -> None:
        columns = ["step", "epoch", "learning_rate", "loss", "gradient_norm", *map(_column, metrics), "seconds"]
        self.log = self.opened.enter_context(closing(Log(self.folder, columns, self.state.log)))

    def _write_weights(self) -> None:
        write_weights(self.folder, self.best, self.state.best_step, self.state.best)

    def _write_checkpoint(self, tensors: dict[str, Tensor]) -> None:
        self.state.log = self.log.lengths()
        groups = self.learner.optimizer.state_dict()["param_groups"]
        write_checkpoint(self.folder, self.state, self._identity(), groups, tensors)

    def _advice(self, symptom: str) -> str:
        kept = f"; {self.folder / 'weights.safetensors'} keeps step {self.state.best_step}" if self.best else ""
        return advice(symptom, self.settings.optimizer.lr, self.settings.clip, kept)

    def _identity(self) -> dict[str, Any]:
        """The settings that decide the result; the others may change when a run goes on."""
        kept = {name: value for name, value in asdict(self.settings).items() if name not in FREE}
        return kept | {"schedule": {"name": type(self.settings.schedule).__name__, **kept["schedule"]}}


def _column(metric: str) -> str:
    return f"validation_{metric}"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
