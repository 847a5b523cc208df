"""Memory that one step frees is there for the next, instead of going back to the system page by page."""

import ctypes
import platform
from collections.abc import Generator
from contextlib import contextmanager

# Options of mallopt, and what the C library comes to by itself once it has seen large blocks.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
USUAL = {MMAP_MAX: 65536, MMAP_THRESHOLD: 2**25, TRIM_THRESHOLD: 2**26}


@contextmanager
def kept_memory() -> Generator[None]:
    """In here freed memory stays with the process; after it the C library gives large blocks back again.

    glibc maps a block of more than 32 MiB anew every time, and the system fills it with zeros page by page: on fields
    of 256 x 256 points that is half of a step of FNO. Elsewhere than on glibc nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        for option, value in USUAL.items():
            libc.mallopt(option, value)
        libc.malloc_trim(0)
