"""Memory that one field frees is there for the next, instead of going back to the system page by page."""

import ctypes
import platform
from collections.abc import Generator
from contextlib import contextmanager

# Options of mallopt, and what the C library comes to by itself once it has seen large blocks.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
USUAL = {MMAP_MAX: 65536, MMAP_THRESHOLD: 2**25, TRIM_THRESHOLD: 2**26}

_open: list[ctypes.CDLL] = []  # one entry for every context that has not ended


@contextmanager
def kept_memory() -> Generator[None]:
    """In here freed memory stays with the process; after it the C library gives large blocks back again.

    glibc hands the top of its heap back once twice the largest block so far is free there, maps a block of more than
    32 MiB anew every time, and the system fills either with zeros page by page: a third of the time of a batched solve,
    half of a step of FNO on 256 x 256 points. The process keeps the size it had at its largest. Contexts may be nested.
    Elsewhere than on glibc nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    _open.append(libc)
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        _open.pop()
        if not _open:
            for option, value in USUAL.items():
                libc.mallopt(option, value)
            libc.malloc_trim(0)
