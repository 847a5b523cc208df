"""Files that exist completely or not at all."""

import hashlib
import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from vcycle.data.schema import DataError

Kind = TypeVar("Kind", bound=BaseModel)
MANIFEST = "manifest.json"
UNFINISHED = "unfinished"


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def move(temporary: Path, path: Path) -> None:
    """Give a finished file its name in one step, after its content has reached the disk."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def write_record(record: BaseModel, path: Path) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    move(temporary, path)


def read_record(path: Path, kind: type[Kind]) -> Kind:
    """The record in a JSON file; raises DataError where the file is damaged, ValidationError for another kind."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid":
            raise
        raise DataError(
            f"{path} is damaged (it is no JSON any more): copy it back, or remove the data folder and run the command "
            "that made the data again"
        ) from error
