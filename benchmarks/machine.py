"""Tables that say where and when they were measured."""

import csv
import datetime
import os
import platform
from pathlib import Path

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


def write_table(name: str, rows: list[dict[str, object]], *, threads: int) -> Path:
    """Write rows to benchmarks/NAME with machine, threads and date in every row."""
    file = Path(__file__).parent / name
    stamp = {"machine": machine(), "threads": threads, "date": datetime.date.today().isoformat()}
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [*rows[0], *stamp])
        writer.writeheader()
        writer.writerows({**row, **stamp} for row in rows)
    return file
