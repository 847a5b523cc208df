"""A progress bar with rate and remaining time."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class Rate(ProgressColumn):
    """Samples per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} samples/s")


@contextmanager
def progress_bar(name: str, total: int, done: int, visible: bool) -> Generator[Callable[[int], None]]:
    """Yields a function that reports further samples as done; those done before do not count for the rate."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, disable=not visible) as bar:
        task = bar.add_task(name, total=total, completed=done)
        yield lambda samples: bar.advance(task, samples)
