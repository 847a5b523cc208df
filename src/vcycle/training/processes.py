"""Several processes that act as one: torchrun starts them, and whatever one of them meets, all of them know."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor

T = TypeVar("T")
# Groups that were left, kept from being freed: that holds Python's lock and waits for the group's thread, which may
# wait for this very lock in order to free the last message (torch 2.13).
_KEPT: list[Any] = []


class Elsewhere(ValueError):
    """What went wrong in another process, in its words."""


@dataclass(frozen=True)
class Processes:
    """`size` processes, of which this one is number `rank`.

    All of them call the same methods in the same order, as in any collective communication.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def together(self, action: Callable[[], T]) -> T:
        """What `action` returns here. An error in one process is raised in it, and as Elsewhere in all others."""
        if self.size == 1:
            return action()
        result, error = None, None
        try:
            result = action()
        except Exception as caught:
            error = caught
        if not self._largest(int(error is not None)):
            return cast(T, result)
        texts = self._listed(None if error is None else " ".join(str(error).split()))
        if error is not None:
            raise error
        rank, text = next((rank, text) for rank, text in enumerate(texts) if text is not None)
        raise Elsewhere(f"process {rank} of {self.size}: {text}")

    def once(self, action: Callable[[], None]) -> None:
        """Leave it to the first process; the others wait, and share its error."""
        self.together(action if self.first else lambda: None)

    def agreed(self, signal: int | None) -> int | None:
        """The signal that any of the processes has received."""
        return signal if self.size == 1 else self._largest(signal or 0) or None

    def same(self, value: T) -> T:
        """The value that the first process has."""
        return value if self.size == 1 else self._listed(value)[0]

    def mean(self, x: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        """The mean over the processes."""
        if self.size == 1:
            return x
        total = x.clone()
        dist.all_reduce(total)
        return total / self.size

    def gathered(self, x: Shaped[Tensor, "n ..."]) -> Shaped[Tensor, "m ..."]:
        """The rows of all processes, in their order; each has as many."""
        if self.size == 1:
            return x
        parts = [torch.empty_like(x) for _ in range(self.size)]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    def share(self, count: int) -> list[int]:
        """Which of `count` samples are this process's: as many as any other's, the last one repeated if need be.

        >>> Processes(0, 2).share(5), Processes(1, 2).share(5)
        ([0, 1, 2], [3, 4, 4])
        """
        each = -(-count // self.size)
        return [min(place, count - 1) for place in range(self.rank * each, (self.rank + 1) * each)]

    def _largest(self, number: int) -> int:
        value = torch.tensor(number)
        dist.all_reduce(value, dist.ReduceOp.MAX)
        return int(value)

    def _listed(self, value: Any) -> list[Any]:
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values


@contextmanager
def processes() -> Generator[Processes]:
    """The processes that torchrun started, joined; this one alone where it did not. Contexts in it give the same."""
    if not dist.is_torchelastic_launched() or os.environ["WORLD_SIZE"] == "1":
        yield Processes()
    elif dist.is_initialized():
        yield Processes(dist.get_rank(), dist.get_world_size())
    else:
        # What the processes agree on goes over gloo, so that no GPU has to be waited for.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        _KEPT.append(dist.group.WORLD)
        # Nobody leaves before all have come: the first one's end is the end of what the others join by.
        dist.all_reduce(torch.zeros(()))
        try:
            yield Processes(dist.get_rank(), dist.get_world_size())
        finally:
            dist.destroy_process_group()
