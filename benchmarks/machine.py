"""Tables that say where and when they were measured."""

import csv
import datetime
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine() -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else processor()
    return f"{device}, {os.cpu_count()} cores, torch {torch.__version__}"


def stamped(row: dict[str, Any], threads: int) -> dict[str, Any]:
    """The row with machine, threads and date; those it has already stay, for it was measured then and there."""
    stamp = {"machine": machine(), "threads": threads, "date": datetime.date.today().isoformat()}
    return {**row, **{name: value for name, value in stamp.items() if name not in row}}


def write_table(name: str, rows: list[dict[str, object]], *, threads: int) -> Path:
    """Write rows to benchmarks/NAME with machine, threads and date in every row."""
    return _write(Path(__file__).parent / name, [stamped(row, threads) for row in rows])


def update_table(
    name: str,
    rows: list[dict[str, object]],
    *,
    key: tuple[str, ...],
    threads: int,
    order: Callable[[dict[str, Any]], Any] | None = None,
) -> Path:
    """Write rows in the place of those with the same key; the others stay, with the machine and date they have."""
    file = Path(__file__).parent / name
    new = {tuple(str(row[column]) for column in key) for row in rows}
    before = read_table(name) if file.exists() else []
    table = [row for row in before if tuple(row[column] for column in key) not in new]
    table += [stamped(row, threads) for row in rows]
    return _write(file, table if order is None else sorted(table, key=order))


def read_table(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _write(file: Path, rows: list[dict[str, Any]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return file


def forget_peak() -> int:
    """Forget the largest memory so far; the bytes that this process holds now, as Linux says."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _memory("VmRSS")


def peak() -> int:
    """The most bytes that this process held since."""
    return _memory("VmHWM")


def _memory(entry: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(entry))
