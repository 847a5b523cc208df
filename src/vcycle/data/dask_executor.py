"""Work units on a Dask cluster: other machines that see the same file system."""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any

import lazy_loader
import torch

from vcycle.data.executor import Executor, Result, Unit, lost
from vcycle.data.schema import DataError

distributed: Any = lazy_loader.load("distributed")


class Dask(Executor):
    """The workers of the scheduler at an address such as tcp://10.0.0.1:8786, with the same results as everywhere.

    On SLURM or PBS dask-jobqueue starts scheduler and workers, in a few lines of Python:

        cluster = dask_jobqueue.SLURMCluster(cores=1, memory="4GB", walltime="01:00:00")
        cluster.scale(jobs=64)
        generate(..., executor=Dask(cluster.scheduler_address))

    A dead worker costs its unit only, which goes to another one; Dask gives up on units that were on several workers
    as these died (distributed.scheduler.allowed-failures). Such units are repeated one by one, so that none is lost
    for another's sake; those that Dask gives up again end the run with a DataError when all others are done. One thread
    per worker is what a solver uses.

    patience  seconds without a worker after which the run ends with a DataError, once there has been one. Dask's
              clusters drop a worker that dies and is not back after distributed.deploy.lost-worker-timeout, 15 seconds
    """

    def __init__(self, scheduler: str, patience: float = 600.0):
        if find_spec("distributed") is None:
            raise DataError("running on a Dask cluster needs dask[distributed]: pip install 'vcycle[dask]'")
        self.scheduler, self.patience = scheduler, patience

    def run(self, function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
        try:
            client = distributed.Client(self.scheduler, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"no Dask scheduler answers at {self.scheduler} ({error}): start one, or check the address"
            ) from error
        with client:
            suspects: list[Unit] = []
            yield from self._until_done(client, function, units, suspects)
            dead: list[Unit] = []
            for suspect in suspects:
                yield from self._until_done(client, function, [suspect], dead)
            if dead:
                raise lost(dead)

    def _until_done(
        self, client: Any, function: Callable[[Unit], Result], units: Sequence[Unit], dead: list[Unit]
    ) -> Iterator[Result]:
        """The results; units that Dask gave up on are appended to `dead`."""
        futures = client.map(partial(_single_threaded, function), units, pure=False)
        with _cancelled_without_workers(client, futures, self.patience):
            for future in distributed.as_completed(futures, loop=client.loop):
                # A result dies with the worker that holds it; asking for it runs the unit again, which may fail now.
                try:
                    result = future.result()
                except distributed.scheduler.KilledWorker:
                    dead.append(units[futures.index(future)])
                except CancelledError as error:
                    raise DataError(
                        f"the scheduler at {self.scheduler} has had no worker for {self.patience:g} s: start others, "
                        "and run the same command again"
                    ) from error
                else:
                    yield result


@contextmanager
def _cancelled_without_workers(client: Any, futures: Sequence[Any], patience: float) -> Generator[None]:
    """Cancels futures at the end, or when there have been no workers for long: Dask would wait for ever."""
    ended = threading.Event()

    def watch() -> None:
        last = math.inf  # before the first worker comes, jobs stand in a queue
        while not ended.wait(min(patience / 4, 10.0)):
            if client.scheduler_info(n_workers=1)["workers"]:
                last = time.monotonic()
            elif time.monotonic() - last > patience:
                client.cancel(futures)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        client.cancel(futures)


def _single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    """On one thread, so that sums round as they do elsewhere."""
    torch.set_num_threads(1)
    return function(unit)
