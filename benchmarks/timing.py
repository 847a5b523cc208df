"""Rivals timed in turns, so that whatever slows the machine slows all of them."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass
class Timed:
    """The least time of some work on `samples` samples so far, in seconds, and its last result.

    On one thread it is the processor's time, which other processes do not lengthen; on more of them the clock's.
    """

    work: Callable[[], Any]
    samples: int = 1
    seconds: float = math.inf
    result: Any = None

    def again(self) -> None:
        clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
        began = clock()
        self.result = self.work()
        self.seconds = min(self.seconds, clock() - began)

    @property
    def milliseconds(self) -> float:
        """Of one sample."""
        return 1e3 * self.seconds / self.samples


def in_turns(rivals: Iterable[Timed], rounds: int) -> None:
    """Each once, then each again, `rounds` times."""
    rivals = list(rivals)
    for _ in range(rounds):
        for rival in rivals:
            rival.again()
