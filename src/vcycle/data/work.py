"""The work unit of generation: one shard, whose bytes depend on nothing but the configuration and its number."""

import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import h5py
import torch

from vcycle.data.files import UNFINISHED, checksum, move, write_record
from vcycle.data.labels import solve_samples
from vcycle.data.layout import write_shard
from vcycle.data.schema import Configuration, Description, ShardRecord
from vcycle.problems import Problem
from vcycle.spaces import Accelerator, chosen, kept_memory

DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class Work:
    """Shard `number` of the data set in `folder`, to be solved on a device."""

    problem: Problem
    configuration: Configuration
    folder: Path
    number: int
    accelerator: Accelerator = "cpu"

    def __str__(self) -> str:
        of, at = self.configuration, self.positions
        return f"shard {self.number} of {self.folder} (samples {at.start} to {at.stop - 1} of seed {of.seed})"

    @property
    def positions(self) -> range:
        """Where the samples of this shard stand in the data set, whatever becomes of them."""
        size = self.configuration.shard_size
        return range(self.number * size, min((self.number + 1) * size, self.configuration.samples))

    @property
    def file(self) -> Path:
        return self.folder / shard_name(self.number)

    @property
    def note(self) -> Path:
        """Where the finished shard is recorded until the manifest is written."""
        return self.folder / UNFINISHED / f"{self.file.stem}.json"


@kept_memory()
def make_shard(work: Work) -> ShardRecord:
    """Sample, solve, verify, write, and only then give the file its name and record it."""
    start = time.perf_counter()
    c = work.configuration
    indices = c.chosen(work.positions)
    labels = solve_samples(
        work.problem, c.resolution, c.seed, indices, DTYPES[c.dtype], c.verify_every, chosen(work.accelerator)
    )
    temporary = work.folder / UNFINISHED / f"{work.file.name}.{os.getpid()}.tmp"
    write_shard(temporary, labels.fields, labels.indices, describe(work.problem))
    sha256, size = checksum(temporary), temporary.stat().st_size
    move(temporary, work.file)
    record = ShardRecord(
        file=work.file.name,
        size=size,
        sha256=sha256,
        first=work.positions.start,
        stop=work.positions.stop,
        chosen=None if c.indices is None else tuple(indices),
        failures=labels.failures,
        retried=labels.retried,
        residuals=labels.residuals,
        iterations=labels.iterations,
        differences=labels.differences,
        grid_differences=labels.grid_differences,
        seconds=round(time.perf_counter() - start, 4),
        versions=versions(),
    )
    write_record(record, work.note)
    return record


def describe(problem: Problem) -> Description:
    """The description of data generated from a problem."""
    return Description(
        name=problem.name,
        domain=problem.domain,
        placement="cell",
        input_names=problem.input_names,
        output_names=problem.output_names,
        problem=problem.to_dict(),
        units={},
        source=f"generated: {problem.equation}",
        times=problem.times,
    )


def shard_name(number: int) -> str:
    return f"part-{number:05d}.h5"


@cache
def versions() -> dict[str, str]:
    """What made the data."""
    libraries = {name: version(name) for name in ("vcycle", "torch", "numpy", "scipy", "h5py")}
    return {**libraries, "hdf5": h5py.version.hdf5_version, "python": platform.python_version()}
