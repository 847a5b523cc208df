"""Rivals timed in turns, so that whatever slows the machine slows all of them."""

import math
import multiprocessing
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
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


class Apart:
    """Some work in a process of its own, for settings that a process takes once. `make(*arguments)` yields it there."""

    def __init__(self, make: Callable[..., AbstractContextManager[Callable[[], Any]]], *arguments: Any):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.seconds = math.inf
        context.Process(target=_serve, args=(other, make, arguments), daemon=True).start()

    def again(self) -> None:
        """Twice: the first may find no memory to take again. Whoever waits does nothing meanwhile."""
        self.connection.send("again")
        self.seconds = self.connection.recv()

    def end(self) -> None:
        self.connection.send(None)


def _serve(connection: Connection, make: Callable[..., AbstractContextManager[Callable[[], Any]]], given: Any) -> None:
    with make(*given) as work:
        timed = Timed(work)
        while connection.recv():
            in_turns([timed], rounds=2)
            connection.send(timed.seconds)


def in_turns(rivals: Iterable[Timed | Apart], rounds: int) -> None:
    """Each once, then each again, `rounds` times."""
    rivals = list(rivals)
    for _ in range(rounds):
        for rival in rivals:
            rival.again()
