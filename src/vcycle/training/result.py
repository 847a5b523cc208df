"""How a training run ended, as a value or as an error with advice."""

from dataclasses import dataclass
from pathlib import Path
from signal import Signals


class Diverged(ArithmeticError):
    """The loss, its gradient or a validation metric is no number, or no weight matters any more; says what to try."""


def advice(symptom: str, lr: float, clip: float | None, kept: str) -> str:
    """What to try against a symptom of divergence; `kept` says what is left of the run."""
    clipping = "clip the gradients (clip 1.0)" if clip is None else f"clip the gradients harder (now {clip:g})"
    return (
        f"{symptom}: lower the learning rate (now {lr:g}), {clipping}, or look for zeros and extreme values in the "
        f"data, and train into a new folder{kept}"
    )


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
