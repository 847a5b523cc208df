"""One thread a test process, the vectors of the verbs, and shapes checked where something is computed first."""

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import jaxtyping
import pytest
import torch

from vcycle.spaces import suit_vectors

torch.set_num_threads(1)
suit_vectors()  # as in every verb: a run that another process goes on with has the same bits

CHECKED = 0.2  # seconds of processor time in which a test has its annotated shapes checked; a loop then repeats itself


@contextmanager
def shapes_checked() -> Iterator[None]:
    """Annotations of shapes and types are checked to begin with, or no theorem could take many steps."""

    def stop(*_: object) -> None:
        jaxtyping.config.update("jaxtyping_disable", True)

    jaxtyping.config.update("jaxtyping_disable", False)
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, CHECKED)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    with shapes_checked():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    with shapes_checked():
        return (yield)
