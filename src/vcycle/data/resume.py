"""What a folder knows about an unfinished run: its configuration, and the shards that are done.

FOLDER/unfinished/configuration.json is written first, FOLDER/part-*.h5 with a note in FOLDER/unfinished as each is
done, FOLDER/manifest.json last; then FOLDER/unfinished goes, with whatever a killed process left in it.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vcycle.data.files import MANIFEST, UNFINISHED, checksum, read_record, write_record
from vcycle.data.schema import Configuration, DataError, Manifest, ShardRecord
from vcycle.data.work import Work

log = logging.getLogger(__name__)
CONFIGURATION = "configuration.json"


def resume(works: list[Work], configuration: Configuration, folder: Path) -> dict[int, ShardRecord]:
    """The records of the shards that are done and whose bytes are still what they were; refuses a foreign folder."""
    table, begun = folder / MANIFEST, folder / UNFINISHED / CONFIGURATION
    records: dict[int, ShardRecord] = {}
    try:
        if table.exists():
            manifest = read_record(table, Manifest)
            _require_same(manifest.configuration, configuration, folder)
            records = {record.first // configuration.shard_size: record for record in manifest.shards}
        elif begun.exists():
            _require_same(read_record(begun, Configuration), configuration, folder)
        elif folder.is_dir() and any(file.name != UNFINISHED for file in folder.iterdir()):
            raise DataError(
                f"{folder} is not empty and its files belong to no run of generate: choose another folder as --out"
            )
    except ValidationError as error:
        raise DataError(
            f"{folder} holds records of another kind of run ({error.title}): choose another folder"
        ) from error
    found = {work.number: _note(work) or records.get(work.number) for work in works}
    return {work.number: record for work in works if (record := found[work.number]) and _intact(work, record)}


def begin(configuration: Configuration, folder: Path) -> None:
    """Write down what the folder is for."""
    try:
        (folder / UNFINISHED).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write to {folder} ({error.strerror}): choose another folder") from error
    write_record(configuration, folder / UNFINISHED / CONFIGURATION)


def end(folder: Path) -> None:
    """Drop the notes: the manifest holds them now."""
    if (folder / UNFINISHED).exists():
        shutil.rmtree(folder / UNFINISHED)


def _note(work: Work) -> ShardRecord | None:
    """The record of a shard that is done, if it can be read: a failing disk may leave half of one."""
    try:
        return ShardRecord.model_validate_json(work.note.read_bytes())
    except (OSError, ValidationError):
        return None


def _intact(work: Work, record: ShardRecord) -> bool:
    if work.file.exists() and work.file.stat().st_size == record.size and checksum(work.file) == record.sha256:
        return True
    log.warning("%s is missing or does not match its checksum: it is computed again", work.file)
    return False


def _require_same(stored: Configuration | None, asked: Configuration, folder: Path) -> None:
    if stored is None:
        raise DataError(f"{folder} holds data that were imported, not generated: choose another folder")
    old, new = (flatten(configuration.model_dump(mode="json")) for configuration in (stored, asked))
    differing = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if differing:
        there = ", ".join(f"{key}={old.get(key)}" for key in differing)
        here = ", ".join(f"{key}={new.get(key)}" for key in differing)
        raise DataError(
            f"{folder} was begun with {there}, now {here} was asked for: choose another folder, or the same settings"
        )


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots.

    >>> flatten({"seed": 0, "problem": {"name": "darcy"}})
    {'seed': 0, 'problem.name': 'darcy'}
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat.update(flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat
