"""The log of a run, the same rows as JSON lines and as a CSV table, cut back to a known length on resume."""

import csv
import json
import math
import os
from pathlib import Path

NAMES = ("log.jsonl", "log.csv")
Row = dict[str, float | int | None]


class Log:
    """`folder`/log.jsonl and `folder`/log.csv, each row with the same columns; a number that is missing is null.

    `lengths` are the bytes in both files; opened with them, whatever came later is cut off.
    """

    def __init__(self, folder: Path, columns: list[str], lengths: dict[str, int] | None = None):
        self.columns = columns
        self._files = [open(folder / name, "a", newline="") for name in NAMES]  # noqa: SIM115
        for file in self._files:
            length = lengths.get(Path(file.name).suffix, 0) if lengths else 0
            if os.fstat(file.fileno()).st_size < length:
                raise ValueError(
                    f"{file.name} is shorter than when the checkpoint was written: restore it, or start anew"
                )
            file.truncate(length)
            file.seek(0, os.SEEK_END)
        if not lengths:
            csv.writer(self._files[1], lineterminator="\n").writerow(columns)

    def write(self, row: Row) -> None:
        complete = {name: _number(row.get(name)) for name in self.columns}
        self._files[0].write(json.dumps(complete) + "\n")
        csv.writer(self._files[1], lineterminator="\n").writerow(complete.values())
        for file in self._files:
            file.flush()

    def lengths(self) -> dict[str, int]:
        """Bytes written so far, on disk when this returns."""
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        return {Path(file.name).suffix: os.fstat(file.fileno()).st_size for file in self._files}

    def close(self) -> None:
        for file in self._files:
            file.close()


def _number(value: float | int | None) -> float | int | None:
    # Strict JSON has no NaN and no infinity.
    return value if value is None or math.isfinite(value) else None
