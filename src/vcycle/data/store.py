"""A user's own data in the stored form: shards, checksums and a manifest."""

from pathlib import Path

import torch

from vcycle.data.dataset import Dataset
from vcycle.data.files import MANIFEST, UNFINISHED, checksum, move, write_record
from vcycle.data.layout import write_shard
from vcycle.data.resume import end
from vcycle.data.schema import DataError, Manifest, ShardRecord
from vcycle.data.splits import split_records
from vcycle.data.work import shard_name, versions


def store(dataset: Dataset, out: str | Path, *, shard_size: int = 256) -> Dataset:
    """Write a data set that was read with `read_own` to a folder, and open it there.

    Splits of another resolution than the main one get a sub-folder of their own. Raises DataError if the folder
    holds data already.
    """
    folder = Path(out)
    require_free(folder)
    (folder / UNFINISHED).mkdir(parents=True, exist_ok=True)
    shards = tuple(
        _write(dataset, range(start, min(start + shard_size, len(dataset))), folder, number)
        for number, start in enumerate(range(0, len(dataset), shard_size))
    )
    main = {name: split for name, split in dataset.splits.items() if split.resolution == dataset.resolution}
    others = {name: split for name, split in dataset.splits.items() if name not in main}
    checksums: dict[str, str] = {}
    for name, split in others.items():
        stored = store(Dataset(dataset.description, {name: split}), folder / name, shard_size=shard_size)
        checksums[name] = stored.checksum(name) or ""
    about = dataset.description
    manifest = Manifest(
        **about.record(),
        resolution=dataset.resolution,
        dtype="float64" if dataset.read([0]).inputs.dtype == torch.float64 else "float32",
        splits=split_records({name: len(split) for name, split in main.items()}, shards),
        elsewhere={name: name for name in others},
        elsewhere_sha256=checksums,
        shards=shards,
        versions=versions(),
    )
    write_record(manifest, folder / MANIFEST)
    end(folder)
    return Dataset.open(folder, verify=False)


def require_free(folder: Path) -> None:
    """Raises DataError if the folder holds data."""
    if (folder / MANIFEST).exists() or next(folder.glob("part-*.h5"), None) is not None:
        raise DataError(f"{folder} holds data already: choose another folder")


def _write(dataset: Dataset, positions: range, folder: Path, number: int) -> ShardRecord:
    temporary, file = folder / UNFINISHED / f"{shard_name(number)}.tmp", folder / shard_name(number)
    write_shard(temporary, dataset.read(positions), tuple(positions), dataset.description)
    size, sha256 = temporary.stat().st_size, checksum(temporary)
    move(temporary, file)
    return ShardRecord(file=file.name, size=size, sha256=sha256, first=positions.start, stop=positions.stop)
