"""How many numbers a convolution computes with at once."""

import os
from pathlib import Path

VARIABLE = "ONEDNN_MAX_CPU_ISA"
ZEN_4 = {"vendor_id": "AuthenticAMD", "cpu family": "25"}  # with AVX-512: Zen 3 of the same family has none


def suit_vectors(processor: str | None = None) -> None:
    """Convolutions in single precision with vectors of 8 numbers, where those of 16 are two of 8 (AMD Zen 4).

    24 channels are three vectors of 8, and one and a half of 16: a step of MgNO takes up to a sixth less time, other
    networks about as long (benchmarks/vectors.csv). oneDNN chooses once, at the first convolution of a process: call
    this before, and not before work in half precision, which needs the vectors of 16. Results differ by rounding. On
    other processors, and where ONEDNN_MAX_CPU_ISA is set already, nothing happens.

    processor   what /proc/cpuinfo says, read from there if not given
    """
    if _halved(_described() if processor is None else processor):
        os.environ.setdefault(VARIABLE, "AVX2")


def _described() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not on Linux
        return ""


def _halved(processor: str) -> bool:
    first = processor.split("\n\n", 1)[0]
    entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
    return ZEN_4.items() <= entries.items() and "avx512f" in entries.get("flags", "").split()
