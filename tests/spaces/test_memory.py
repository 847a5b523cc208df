"""Freed memory is used again without a page fault, and goes back to the system afterwards."""

import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vcycle import spaces

FILE = Path(spaces.__file__).with_name("memory.py")
SIZE = 2**26  # 64 MiB: more than glibc ever keeps by itself
FAULTS = f"""
import ctypes, resource, runpy
kept_memory = runpy.run_path({str(FILE)!r})["kept_memory"]
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes, libc.memset.argtypes = (
    ctypes.c_void_p, [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t])

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc({SIZE})
    libc.memset(block, 1, {SIZE})
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with kept_memory():
    faults()
    print(faults())
    with kept_memory():
        pass
    print(faults())
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_block_is_not_taken_from_the_system_again_and_again():
    """In a process of its own: a heap that has seen much may have no room to grow in one piece."""
    ended = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    kept, nested, after = map(int, ended.stdout.split())
    pages = SIZE / resource.getpagesize()
    assert max(kept, nested) < pages / 100
    assert after > pages / 2
