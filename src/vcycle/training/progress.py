"""What a person sees while a network trains: a live line on a terminal, a plain line now and then elsewhere."""

import time
from abc import ABC, abstractmethod
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress(ABC):
    """Told about every step; used as a context."""

    def __enter__(self) -> "Progress":
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @abstractmethod
    def update(self, step: int, loss: float | None, validation: dict[str, float] | None) -> None:
        """Step `step` is done; the loss where it was read, the validation metrics where they were computed."""

    def _start(self) -> None:
        return None

    def _stop(self) -> None:
        return None


class Live(Progress):
    """A bar with the loss, the last validation and the remaining time."""

    def __init__(self, console: Console, step: int, steps: int):
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, TextColumn("{task.fields[numbers]}"), console=console)
        self._task = self._bar.add_task("training", total=steps, completed=step, numbers="")
        self._loss, self._validation = "", ""

    def update(self, step: int, loss: float | None, validation: dict[str, float] | None) -> None:
        self._loss = self._loss if loss is None else f"loss {loss:.4g}"
        self._validation = self._validation if validation is None else f"  validation {_listed(validation)}"
        self._bar.update(self._task, completed=step, numbers=self._loss + self._validation)

    def _start(self) -> None:
        self._bar.start()

    def _stop(self) -> None:
        self._bar.stop()


class Plain(Progress):
    """A line at every validation, and after `quiet` seconds without one."""

    def __init__(self, console: Console, steps: int, quiet: float = 30.0):
        self._console, self._steps, self._quiet = console, steps, quiet
        self._spoke, self._loss = time.monotonic(), ""
        self._first: tuple[int, float] | None = None  # the end of the first step, which takes longer than others

    def update(self, step: int, loss: float | None, validation: dict[str, float] | None) -> None:
        self._loss = self._loss if loss is None else f"  loss {loss:.4g}"
        now = time.monotonic()
        self._first = first, began = self._first or (step, now)
        if validation is None and now - self._spoke < self._quiet:
            return
        self._spoke = now
        line = f"step {step}/{self._steps}{self._loss}"
        if validation is not None:
            line += f"  validation {_listed(validation)}"
        if first < step < self._steps:
            line += f"  {_duration((now - began) / (step - first) * (self._steps - step))} left"
        self._console.print(line, highlight=False, soft_wrap=True)


def progress(console: Console, step: int, steps: int) -> Progress:
    return Live(console, step, steps) if console.is_terminal else Plain(console, steps)


def _listed(metrics: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
