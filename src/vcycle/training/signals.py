"""Ctrl-C and SIGTERM as a wish that is granted after the step in progress."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """Within this context the first SIGINT or SIGTERM is noted in `.signal`; a second one acts as it always did.

    Python delivers signals to the main thread only: elsewhere the context does nothing.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
