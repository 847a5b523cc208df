"""How a training run ended, as a value or as an error with advice."""

from dataclasses import dataclass
from pathlib import Path
from signal import Signals


class Diverged(ArithmeticError):
    """The loss, its gradient or a validation metric is no longer a number; the message says what to try."""


@dataclass(frozen=True)
class Result:
    """How a run ended: 'finished', 'patience' or 'interrupted' (then `interrupted` is the signal's number)."""

    folder: Path
    step: int
    steps: int
    ended: str
    best_step: int
    best: dict[str, float]
    seconds: float
    interrupted: int | None = None

    def __str__(self) -> str:
        metrics = ", ".join(f"{name} {value:.4g}" for name, value in self.best.items())
        kept = f"the weights of step {self.best_step} are kept (validation: {metrics})"
        if self.interrupted is not None:
            name = Signals(self.interrupted).name
            return (
                f"stopped by {name} after step {self.step} of {self.steps}: the same command goes on from there; {kept}"
            )
        early = f", no better for {self.step - self.best_step} steps" if self.ended == "patience" else ""
        return f"trained {self.step} steps in {self.seconds:.0f} s{early}: {kept}"
