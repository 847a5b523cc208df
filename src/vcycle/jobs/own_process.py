"""What a verb does with its process, and a library would leave to its user."""

from collections.abc import Generator
from contextlib import contextmanager

from vcycle.spaces import kept_memory, suit_vectors


@contextmanager
def own_process() -> Generator[None]:
    """In here freed memory stays, and convolutions in single precision use the vectors that suit the processor."""
    suit_vectors()
    with kept_memory():
        yield
