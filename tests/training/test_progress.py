import io
from types import SimpleNamespace

from rich.console import Console

from vcycle.training import progress


def test_the_remaining_time_is_that_of_steps_like_those_after_the_first(monkeypatch):
    clock, said = iter([0.0, 60.0, *(60.0 + step for step in range(1, 21))]), io.StringIO()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with progress.progress(Console(file=said), 5, 26) as shown:
        for step in range(6, 27):
            shown.update(step, 0.5, {"loss": 0.25} if step in (6, 16, 26) else None)
    assert said.getvalue().splitlines() == [
        "step 6/26  loss 0.5  validation loss 0.25",
        "step 16/26  loss 0.5  validation loss 0.25  0:00:10 left",
        "step 26/26  loss 0.5  validation loss 0.25",
    ]
