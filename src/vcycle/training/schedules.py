"""Learning rates as pure functions of the step: nothing to store, nothing to restore."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """What a schedule says for one step: the learning rate over its peak, and Adam's first beta (None: as it is)."""

    factor: float
    momentum: float | None = None


class Schedule(ABC):
    """The rates at each of `steps` steps."""

    @abstractmethod
    def __call__(self, step: int, steps: int) -> Rates:
        """The rates of step 0 <= step < steps."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The peak rate throughout."""

    def __call__(self, step: int, steps: int) -> Rates:
        return Rates(1.0)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From the peak down to `final_factor` times the peak along half a cosine, as torch's CosineAnnealingLR."""

    final_factor: float = 0.0

    def __call__(self, step: int, steps: int) -> Rates:
        return Rates(_anneal(1.0, self.final_factor, step / steps))


@dataclass(frozen=True)
class Stairs(Schedule):
    """The peak times `factor`^k on the k-th of `stairs` equal parts of the run, k = 0, 1, ..., as torch's StepLR."""

    stairs: int = 5
    factor: float = 0.5

    def __call__(self, step: int, steps: int) -> Rates:
        return Rates(self.factor ** (self.stairs * step // steps))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up from peak / div_factor in the first `pct_start` of the steps, then down by div_factor * final_div_factor.

    As torch's OneCycleLR with cosine annealing. With `cycle_momentum` Adam's first beta goes the other way, from 0.95
    down to 0.85 and up again.
    """

    pct_start: float = 0.2
    div_factor: float = 2.0
    final_div_factor: float = 100.0
    cycle_momentum: bool = True

    def __call__(self, step: int, steps: int) -> Rates:
        top, end = self.pct_start * steps - 1, steps - 1
        low, last = 1 / self.div_factor, 1 / self.div_factor / self.final_div_factor
        if top > 0 and step <= top:
            factor, momentum = _anneal(low, 1.0, step / top), _anneal(0.95, 0.85, step / top)
        else:
            share = (step - top) / (end - top) if end > top else 0.0
            factor, momentum = _anneal(1.0, last, share), _anneal(0.85, 0.95, share)
        return Rates(factor, momentum if self.cycle_momentum else None)


def _anneal(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
