"""A data set: pairs of functions on one domain, in named splits, read when they are needed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vcycle.data.coarser import grid_words
from vcycle.data.files import MANIFEST, UNFINISHED, checksum, read_record
from vcycle.data.layout import Shard
from vcycle.data.readers import Indices, Joined, Split, checked
from vcycle.data.schema import DataError, Description, Fields, Manifest, explain, suggestion
from vcycle.problems import Problem, build
from vcycle.spaces import Domain, Placement

TRAINING = ("train", "validation")
VERIFIED = 2**28  # bytes; SHA-256 reads 1 to 2 GB a second where they are in memory already


@dataclass(frozen=True)
class Dataset:
    """Input and output functions with all that is needed to use them: domain, placement, names, splits, origin.

    `manifest` is the table of contents of a stored data set, None for one that exists only in memory.
    Further test sets may have a resolution of their own; `len`, `read` and `resolution` speak of the main one.
    A data set `for_training` is closed: it has no test sets.
    """

    description: Description
    splits: Mapping[str, Split]
    manifest: Manifest | None = None
    closed: bool = False

    @classmethod
    def open(cls, path: str | Path, *, verify: bool | None = None, training: bool = False) -> "Dataset":
        """Open a folder written by `generate` or `store`; for `training` it is closed to test sets, damaged or not.

        `verify` recomputes all checksums; None does so where it takes a moment, up to 256 MiB. Sizes are checked
        always. Raises DataError for a folder without manifest, and for a shard that is missing or not as recorded:
        absent data are never read as zeros.
        """
        folder = Path(path)
        manifest = read_manifest(folder)
        thorough = sum(record.size for record in manifest.shards) <= VERIFIED if verify is None else verify
        needed = [record for name, record in manifest.splits.items() if name in TRAINING or not training]
        shards: list[Shard] = []
        first = 0
        for record in manifest.shards:
            used = thorough and any(split.start < first + len(record) and first < split.stop for split in needed)
            file = folder / record.file
            if not file.exists():
                raise DataError(f"{file} is missing: run the command that made the data again, or copy the file back")
            if file.stat().st_size != record.size or (used and checksum(file) != record.sha256):
                raise DataError(
                    f"{file} is not the file that was written ({file.stat().st_size} bytes, recorded were {record.size}"
                    f" bytes with SHA-256 {record.sha256[:12]}...): run the command that made the data again"
                )
            shards.append(
                Shard(
                    file, record.sha256, len(record), manifest.resolution, manifest.input_names, manifest.output_names
                )
            )
            first += len(record)
        stored = Joined(shards)
        splits = {name: Split(name, stored, s.start, s.stop) for name, s in manifest.splits.items()}
        for name, place in manifest.elsewhere.items():
            other = cls.open(folder / place, verify=verify if name in TRAINING or not training else False)
            if manifest.elsewhere_sha256.get(name, other.checksum(name)) != other.checksum(name):
                raise DataError(
                    f"{folder / place} is not the test set that belongs here: run the command that made the data again"
                )
            splits[name] = other.split(name)
        data = cls(manifest.description, splits, manifest)
        return data.for_training() if training else data

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def domain(self) -> Domain:
        return self.description.domain

    @property
    def placement(self) -> Placement:
        return self.description.placement

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.description.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.description.output_names

    @property
    def problem(self) -> dict[str, Any] | None:
        """The problem as plain data, None for data whose equation is not known."""
        return self.description.problem

    def build_problem(self) -> Problem | None:
        """The problem itself."""
        return None if self.problem is None else build(self.problem)

    @property
    def resolution(self) -> tuple[int, ...]:
        """The grid of the first split, for which len and read speak."""
        return next(iter(self.splits.values())).resolution

    def split(self, name: str) -> Split:
        """The split 'train', 'validation', 'test' or another test set, to be read by position."""
        if self.closed and name not in TRAINING:
            raise DataError(f"training sees {' and '.join(TRAINING)} only, the split {name!r} is closed to it")
        if name not in self.splits:
            raise DataError(f"there is no split {name!r}{suggestion(name, list(self.splits))}")
        return self.splits[name]

    def checksum(self, name: str) -> str | None:
        """The SHA-256 that stands for the content of a stored split; None for data in memory."""
        if self.manifest is None:
            return None
        here = self.manifest.splits
        return here[name].sha256 if name in here else self.manifest.elsewhere_sha256.get(name)

    def for_training(self) -> "Dataset":
        """The same without any test set: asking for one is an error, and none of its samples can be read."""
        return replace(self, splits={name: s for name, s in self.splits.items() if name in TRAINING}, closed=True)

    def __len__(self) -> int:
        return len(self._main)

    def read(self, positions: Indices) -> Fields:
        """Samples by their position in the splits of the main resolution, one split after the other."""
        return self._main.read(checked(positions, len(self), f"data set {self.name!r}"))

    @cached_property
    def _main(self) -> Joined:
        return Joined([split for split in self.splits.values() if split.resolution == self.resolution])

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {len(split)}"
            + ("" if split.resolution == self.resolution else f" at {grid_name(split.resolution)}")
            for name, split in self.splits.items()
        )
        arrow = f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}"
        return f"{self.name}: {arrow} at {grid_name(self.resolution)} {self.placement}s of {self.domain}; {sizes}"

    def __str__(self) -> str:
        return f"{self!r}\n{self.of_the_grid}" if self.of_the_grid else repr(self)

    @property
    def of_the_grid(self) -> str:
        """What the grid of the labels costs, as a sentence; empty where nobody looked."""
        checked = None if self.manifest is None else self.manifest.verification
        if checked is None or not checked.coarser_grid or not checked.samples_compared:
            return ""
        return grid_words(checked.grid_difference_median, checked.grids_compared)


def read_manifest(folder: Path) -> Manifest:
    """The table of contents of a finished folder."""
    file = folder / MANIFEST
    if not file.exists():
        if (folder / UNFINISHED).exists():
            done = len(list((folder / UNFINISHED).glob("part-*.json")))
            raise DataError(
                f"the data in {folder} are not finished ({done} shards so far): run the same generate command again"
            )
        raise DataError(
            f"{folder} is not a data set (it has no {MANIFEST}): generate one there, or give another folder"
        )
    try:
        return read_record(file, Manifest)
    except ValidationError as error:
        raise explain(error, str(file), Manifest) from error


def grid_name(resolution: tuple[int, ...]) -> str:
    """(64, 64) as '64 x 64'."""
    return " x ".join(map(str, resolution))
