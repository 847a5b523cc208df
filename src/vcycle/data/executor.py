"""Where work units run: here, or on a pool of processes. Every engine returns the same results."""

import os
import pickle
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import TypeVar

import torch

from vcycle.data.schema import DataError

Unit = TypeVar("Unit")
Result = TypeVar("Result")

HOPELESS = 10  # units that may be lost before any is done
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


class Executor(ABC):
    """Applies one function to many independent work units.

    A unit gives the same result on every engine, in any order and after any number of restarts, so an engine for
    more machines needs no more than this method. Functions and units are pickled.
    """

    @abstractmethod
    def run(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        """The results, each as soon as it is there."""


class Serial(Executor):
    """One unit after the other in this process, on one thread: sums then round as they do in a pool."""

    def run(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        for unit in units:
            with _one_thread():
                result = function(unit)
            yield result


class Processes(Executor):
    """Fresh processes with one thread each, for the duration of one run.

    On Linux they are forked from a server that has done nothing but import the package: one import of torch for all.
    Where one dies, its unit alone is repeated when the others are done, in a process that has the machine for itself;
    a unit that kills this too is given up, and the run ends with a DataError when all others are done, or early where
    none can be.
    """

    def __init__(self, workers: int):
        if workers < 1:
            raise DataError(f"a pool needs at least 1 worker, got {workers}")
        self.workers = workers

    def run(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        waiting, dead, done = deque(units), [], 0
        while waiting and (done or len(dead) <= HOPELESS):
            put_off, killers = deque[Unit](), []
            for unit, future in _finished(function, waiting, self.workers):
                if not _died(future):
                    done += 1
                    yield future.result()
                    continue
                killers.append(unit)
                if not done and len(killers) == 1:
                    _check_that_workers_start(function, unit)
                if not done and len(killers) > HOPELESS:
                    put_off.extend(waiting)
                    waiting.clear()
            for unit in killers:
                [(_, future)] = _finished(function, deque([unit]), workers=1)
                if _died(future):
                    dead.append(unit)
                else:
                    done += 1
                    yield future.result()
            waiting = put_off
        if dead:
            raise lost(dead, len(waiting))


def _finished(
    function: Callable[[Unit], Result], waiting: deque[Unit], workers: int
) -> Generator[tuple[Unit, Future[Result]]]:
    """The units of a queue that shrinks, each with its future, done or dead, as soon as it is either.

    Every process has a pool of its own: in a common one the death of one takes the units of all, and leaves the
    pool in a state that nothing ends (CPython 3.11) where another is just being started.
    """
    # Workers import the running script, guarded or not; only a problem that is defined there needs that.
    hidden = bool(waiting) and b"__main__" not in pickle.dumps((function, waiting[0]))
    idle: list[ProcessPoolExecutor] = []
    working: dict[Future[Result], tuple[Unit, ProcessPoolExecutor]] = {}
    try:
        while waiting or working:
            with _environment(ONE_THREAD), _script_hidden() if hidden else nullcontext():
                while waiting and len(working) < workers:
                    pool = idle.pop() if idle else ProcessPoolExecutor(1, _context(), _start_worker)
                    try:
                        future = pool.submit(function, waiting[0])
                    except BrokenProcessPool:  # it died of something else, while it had no work
                        pool.shutdown()
                        continue
                    working[future] = waiting.popleft(), pool
            for future in wait(working, return_when=FIRST_COMPLETED).done:
                unit, pool = working.pop(future)
                if _died(future):
                    pool.shutdown()
                else:
                    idle.append(pool)
                yield unit, future
    finally:
        for pool in [*idle, *(pool for _, pool in working.values())]:
            pool.shutdown(wait=True, cancel_futures=True)


def _died(future: Future[Result]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _check_that_workers_start(function: Callable[[Unit], Result], unit: Unit) -> None:
    """A DataError where even a process dies that only loads a function and a unit, and does nothing."""
    [(_, future)] = _finished(partial(_nothing, function), deque([unit]), workers=1)
    if _died(future):
        raise DataError(
            "no worker process can start: if the running script defines the problem itself, put "
            "`if __name__ == '__main__':` around the call; else give the machine more memory"
        )


def lost(units: Sequence[object], left: int = 0) -> DataError:
    """What to say of units that killed the processes they ran in, when `left` more were not tried."""
    rest = f"{left} more were not tried" if left else "all else is done"
    return DataError(
        f"{', '.join(map(str, units))}: every process that took it up died, out of memory or killed; {rest}: "
        "run the same command again, with fewer workers or where there is more memory"
    )


def _nothing(function: Callable[[Unit], Result], unit: Unit) -> None:
    """Work that only a process that cannot start dies of: it has loaded the function and the unit."""
    del function, unit


class Automatic(Executor):
    """Serial for as long as it takes to start a pool, then a pool for the rest.

    Short runs never pay for a pool, and long ones lose at most one start-up time.
    """

    def __init__(self, patience: float = 3.0):
        self.patience = patience

    def run(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        start, workers = time.monotonic(), available_cores()
        for done, result in enumerate(Serial().run(function, units), start=1):
            yield result
            if workers > 1 and len(units) - done > 1 and time.monotonic() - start > self.patience:
                yield from Processes(workers).run(function, units[done:])
                return


def available_cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _context() -> BaseContext:
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["vcycle.data.work"])
    return context


def _start_worker() -> None:
    torch.set_num_threads(1)
    # Ctrl-C reaches every process of the terminal; the parent alone decides, and units in flight are finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _one_thread() -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _script_hidden() -> Generator[None]:
    """Processes started inside know nothing of the running script: multiprocessing finds no file to import."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _environment(values: dict[str, str]) -> Generator[None]:
    """Variables for processes started inside; numerical libraries read them when they are loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
