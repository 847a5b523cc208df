"""Training, validation, calibration and test: ranges of samples, fixed with the data."""

import hashlib
from collections.abc import Mapping

from vcycle.data.schema import DataError, ShardRecord, SplitRecord

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def counts(samples: int, splits: Mapping[str, int | float] | None = None) -> dict[str, int]:
    """The number of samples of every split, in order; given as fractions that sum to 1 or as counts that sum to all.

    >>> counts(1200)
    {'train': 960, 'validation': 120, 'test': 120}
    >>> counts(1200, {"train": 1000, "validation": 100, "test": 100})
    {'train': 1000, 'validation': 100, 'test': 100}
    """
    splits = FRACTIONS if splits is None else splits
    total = sum(splits.values())
    for name, share in splits.items():
        if name not in ("train", "validation") and not name.startswith(("calibration", "test")):
            raise DataError(f"a split is named 'train', 'validation', 'calibration...' or 'test...', got {name!r}")
        if share < 0:
            raise DataError(f"split {name!r} cannot have {share} samples")
    if not splits:
        raise DataError("the samples need a split to be in: give for instance {train: 0.9, test: 0.1}, or {test: 1.0}")
    if all(isinstance(share, int) for share in splits.values()):
        if total != samples:
            raise DataError(f"the splits {_show(splits)} have {total} samples together, but there are {samples}")
        return {name: int(share) for name, share in splits.items()}
    if abs(total - 1) > 1e-9:
        raise DataError(
            f"fractions sum to 1 and counts to the number of samples, got {_show(splits)} with sum {total:g}"
        )
    # The smaller splits get at least one sample where there are enough; what rounding leaves goes to the first.
    main = "train" if "train" in splits else next(iter(splits))
    least = 1 if samples >= len(splits) else 0
    held_out = {
        name: max(least, round(share * samples)) for name, share in splits.items() if name != main and share > 0
    }
    return {name: samples - sum(held_out.values()) if name == main else held_out.get(name, 0) for name in splits}


def split_records(sizes: Mapping[str, int], shards: tuple[ShardRecord, ...]) -> dict[str, SplitRecord]:
    """Splits as ranges of the samples that were asked for, expressed as positions among those that are stored."""
    records, first, start = {}, 0, 0
    stored = [position for shard in shards for position in shard.positions]
    for name, size in sizes.items():
        first += size
        stop = start + sum(1 for position in stored[start:] if position < first)
        records[name] = SplitRecord(start=start, stop=stop, sha256=_checksum(start, stop, shards))
        start = stop
    return records


def _checksum(start: int, stop: int, shards: tuple[ShardRecord, ...]) -> str:
    """A function of the split's data alone: which rows of which file contents, in order."""
    digest, offset = hashlib.sha256(), 0
    for shard in shards:
        low, high = max(start - offset, 0), min(stop - offset, len(shard))
        if low < high:
            digest.update(f"{shard.sha256} {low} {high}\n".encode())
        offset += len(shard)
    return digest.hexdigest()


def _show(splits: Mapping[str, int | float]) -> str:
    return ", ".join(f"{name}={share:g}" for name, share in splits.items())
