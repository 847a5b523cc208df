"""`vcycle generate`: verified data of a problem, by the engine of the data room."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from vcycle import data
from vcycle.data import Dask, DataError, Dataset, Executor, Processes, Serial
from vcycle.data.executor import available_cores
from vcycle.jobs.config import GuideConfig
from vcycle.jobs.configure import resolve
from vcycle.jobs.guidance import guided
from vcycle.problems import Problem


def generate(
    problem: Problem,
    samples: int,
    resolution: int | Sequence[int],
    seed: int,
    out: str | Path,
    *,
    executor: Executor | Literal["auto", "serial", "processes", "dask"] = "auto",
    scheduler: str | None = None,
    workers: int | None = None,
    guide: GuideConfig | Mapping[str, Any] | None = None,
    **options: Any,
) -> Dataset:
    """`data.generate`, with executors by name as on the command line; 'dask' needs the scheduler's address.

    A `guide` {"path": RUN, "pool": 4096, "share": 0.5} chooses samples by the bound of a trained run (jobs.guidance).
    """
    if (executor == "dask") != (scheduler is not None):
        raise DataError("--scheduler is the address of a Dask cluster: it goes with --executor dask, and that with it")
    if executor in ("serial", "dask") and workers is not None:
        raise DataError(f"--workers counts the processes of this machine, --executor {executor} has none: leave it out")
    engine: Executor | None = None
    if isinstance(executor, Executor):
        engine = executor
    elif executor == "serial":
        engine = Serial()
    elif executor == "processes":
        engine = Processes(workers or available_cores())
    elif scheduler is not None:
        engine = Dask(scheduler)
    if guide is not None:
        shape = (resolution,) * problem.domain.dimension if isinstance(resolution, int) else tuple(resolution)
        by = guide if isinstance(guide, GuideConfig) else resolve(GuideConfig, guide)
        options["indices"] = guided(by.path, problem, shape, seed, samples, by.pool, by.share)
    return data.generate(problem, samples, resolution, seed, out, workers=workers, executor=engine, **options)
