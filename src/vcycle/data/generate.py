"""Generation: samples of a problem, solved and verified in parallel, stored shard by shard, resumable at any moment."""

import logging
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from vcycle.data.dataset import Dataset, read_manifest
from vcycle.data.executor import Automatic, Executor, Processes, Serial
from vcycle.data.files import MANIFEST, write_record
from vcycle.data.labels import residual_limit
from vcycle.data.progress import progress_bar
from vcycle.data.resume import begin, end, resume
from vcycle.data.schema import Configuration, DataError, Failure, Manifest, Precision, ShardRecord, Verification
from vcycle.data.shifts import Shifts, seed_of, shifted
from vcycle.data.splits import counts, split_records
from vcycle.data.work import Work, describe, make_shard, versions
from vcycle.problems import Problem
from vcycle.spaces import CPU, Accelerator, chosen

SHARD_SAMPLES, SHARD_POINTS = 128, 2**19
log = logging.getLogger(__name__)


def generate(
    problem: Problem,
    samples: int,
    resolution: int | Sequence[int],
    seed: int,
    out: str | Path,
    *,
    workers: int | None = None,
    shard_size: int | None = None,
    splits: Mapping[str, int | float] | None = None,
    ood: Shifts | None = None,
    ood_samples: int | None = None,
    indices: Sequence[int] | None = None,
    dtype: Precision = "float64",
    verify_every: int = 64,
    executor: Executor | None = None,
    accelerator: Accelerator = "cpu",
    progress: bool = True,
) -> Dataset:
    """Samples 0, 1, ... of the stream `seed` with their solutions, as a folder of HDF5 shards and a manifest.

    Every label has a relative residual below ten times the problem's tolerance (1e-9 for elliptic equations); every
    `verify_every`-th (0: none) is compared with a second, independent solver, and with what half as many points per
    axis give, which tells what the grid costs (data.coarser). A sample that cannot be solved is tried once more, safely
    (Problem.solve_safely), then left out and listed in the manifest with its seed and index.
    The same arguments give the same bytes on any number of workers (of one kind of processor or accelerator). Stopped
    at any moment and called again with the same arguments, the work goes on where it was, and shards that are no longer
    what was written are made anew; other arguments for the same folder, and folders with files of others, are refused.

    resolution    points per axis, one number for all axes or one each
    workers       processes; None: as many as there are cores once starting them pays
    shard_size    samples per file; None: 128, or fewer on grids beyond 64 x 64
    splits        fractions that sum to 1, or counts that sum to `samples`; None: 0.8, 0.1, 0.1
    ood           further test sets out of distribution: a parameter and its other value or values, {"viscosity":
                  [0.05, 0.002], "prior.contrast": 100.0} makes the splits test_viscosity_0.05, ..., drawn independently
    ood_samples   samples in each of them; None: as many as in 'test'
    indices       the `samples` indices of the stream to take, in this order, instead of 0, 1, ...
    dtype         precision on disk; float32 rounds after the verification
    executor      another engine to run on; overrides `workers`
    accelerator   the device that solves: 'cuda' takes one shard after the other unless workers or an executor are given

    Raises DataError, and ValueError for an accelerator that is not there.
    """
    dimension = problem.domain.dimension
    shape = (resolution,) * dimension if isinstance(resolution, int) else tuple(resolution)
    _check(samples, shape, dimension, shard_size, verify_every)
    if indices is not None and (len(indices) != samples or len(set(indices)) < samples):
        raise DataError(f"{samples} different indices are needed, got {len(set(indices))}: give every sample one")
    configuration = Configuration(
        problem=problem.to_dict(),
        samples=samples,
        resolution=shape,
        seed=seed,
        shard_size=shard_size or max(1, min(SHARD_SAMPLES, SHARD_POINTS // math.prod(shape))),
        dtype=dtype,
        splits=counts(samples, splits),
        verify_every=verify_every,
        ood=dict(ood or {}),
        ood_samples=_count_shifted(ood, ood_samples, counts(samples, splits)),
        indices=None if indices is None else tuple(indices),
    )
    folder, others = Path(out).absolute(), shifted(problem, configuration.ood)
    if executor is None:
        chosen(accelerator)  # what is not there is said before anything is written; other machines may have it
    shards = range(math.ceil(samples / configuration.shard_size))
    works = [Work(problem, configuration, folder, number, accelerator) for number in shards]
    finished = resume(works, configuration, folder)
    missing = [work for work in works if work.number not in finished]
    if missing or not (folder / MANIFEST).exists() or any(not _whole(folder / n) for n in others):
        begin(configuration, folder)
        done = samples - sum(len(work.positions) for work in missing)
        failures = [failure for record in finished.values() for failure in record.failures]
        with progress_bar(problem.name, samples, done, progress) as advance:
            for record in (executor or _engine(workers, len(missing), accelerator)).run(make_shard, missing):
                finished[record.first // configuration.shard_size] = record
                advance(record.stop - record.first)
                done += record.stop - record.first
                failures += record.failures
                _stop_if_hopeless(failures, done, samples)
        _stop_if_hopeless(failures, done, samples)
        for name, other in others.items():
            generate(
                other,
                configuration.ood_samples or 1,
                shape,
                seed_of(seed, name),
                folder / name,
                workers=workers,
                shard_size=shard_size,
                splits={name: 1.0},
                dtype=dtype,
                verify_every=verify_every,
                executor=executor,
                accelerator=accelerator,
                progress=progress,
            )
        checksums = {name: read_manifest(folder / name).splits[name].sha256 for name in others}
        manifest = _manifest(problem, configuration, tuple(finished[work.number] for work in works), checksums)
        write_record(manifest, folder / MANIFEST)
        if manifest.failures:
            log.warning("%s; the manifest lists them", _summary(manifest.failures, samples))
    end(folder)
    return Dataset.open(folder, verify=False)


def _whole(folder: Path) -> bool:
    """Whether a finished data set is there, with every byte that was written."""
    try:
        Dataset.open(folder, verify=True)
    except DataError:
        return False
    return True


def _engine(workers: int | None, shards: int, accelerator: Accelerator) -> Executor:
    if workers is None:
        return Automatic() if chosen(accelerator) == CPU else Serial()
    return Serial() if workers == 1 or shards <= 1 else Processes(workers)


def _check(samples: int, shape: tuple[int, ...], dimension: int, shard_size: int | None, verify_every: int) -> None:
    if len(shape) != dimension or min(shape, default=0) < 2:
        raise DataError(
            f"the problem has {dimension} axes: give one resolution of at least 2 or one per axis, got {shape}"
        )
    if samples < 1:
        raise DataError(f"at least 1 sample is needed, got {samples}")
    if shard_size is not None and shard_size < 1:
        raise DataError(f"a shard holds at least 1 sample, got shard_size={shard_size}")
    if verify_every < 0:
        raise DataError(f"verify_every is a distance between sample indices, or 0 for none, got {verify_every}")


def _count_shifted(ood: Shifts | None, ood_samples: int | None, sizes: Mapping[str, int]) -> int | None:
    if not ood:
        if ood_samples is not None:
            raise DataError("ood_samples counts the samples of shifted test sets: say with ood what to shift")
        return None
    count = sizes.get("test", 0) if ood_samples is None else ood_samples
    if count < 1:
        raise DataError(f"a shifted test set needs at least 1 sample, got {count}: give ood_samples")
    return count


def _manifest(
    problem: Problem, configuration: Configuration, shards: tuple[ShardRecord, ...], elsewhere: Mapping[str, str]
) -> Manifest:
    differences = [d for shard in shards for d in shard.differences.values()]
    of_grids = [d for shard in shards for d in shard.grid_differences.values()]
    kind = f"{type(problem).__module__}.{type(problem).__qualname__}"
    return Manifest(
        **describe(problem).record(),
        resolution=configuration.resolution,
        dtype=configuration.dtype,
        configuration=configuration,
        verification=Verification(
            solver=f"{kind}.solve to {problem.tolerance:.0e}; on failure {kind}.solve_safely",
            residual=f"{kind}.residual of every label, relative, in float64 for the inputs as stored",
            residual_limit=residual_limit(problem),
            residual_worst=max((r for shard in shards for r in shard.residuals), default=0.0),
            second_solver=f"{kind}.verify, relative L2 difference, sample indices divisible by verify_every",
            samples_compared=len(differences),
            difference_limit=problem.agreement,
            difference_worst=max(differences, default=None),
            coarser_grid=f"{kind}.solve with half the points per axis, relative L2 difference, the same sample indices",
            grids_compared=len(of_grids),
            grid_difference_median=statistics.median(of_grids) if of_grids else None,
            grid_difference_worst=max(of_grids, default=None),
        ),
        splits=split_records(configuration.splits, shards),
        elsewhere={name: name for name in elsewhere},
        elsewhere_sha256=dict(elsewhere),
        shards=shards,
        versions=versions(),
    )


def _stop_if_hopeless(failures: Sequence[Failure], done: int, samples: int) -> None:
    """A few unsolvable samples are left out; where most are, the request is wrong."""
    if 2 * len(failures) > done and (len(failures) > 10 or done == samples):
        raise DataError(f"{_summary(failures, done)}; the run stops: choose milder parameters")


def _summary(failures: Sequence[Failure], samples: int) -> str:
    first = failures[0]
    return f"{len(failures)} of {samples} samples could not be solved, such as sample {first.index}: {first.reason}"
