"""Pauses that Ctrl-C ends at once, between which it waits."""

import signal
import threading
import time
from types import FrameType
from typing import Self


class Pausing:
    """While entered, Ctrl-C raises KeyboardInterrupt in `sleep` only: pressed before, at the next one.

    Raised while a file is read, it could strike inside a callback of HDF5, which swallows it. A second one raises at
    once. Outside the main thread Python delivers no signals, and these are plain pauses.
    """

    def __init__(self) -> None:
        self._asked = False
        self._asleep = False

    def __enter__(self) -> Self:
        self._handles = threading.current_thread() is threading.main_thread()
        if self._handles:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        if self._handles:
            signal.signal(signal.SIGINT, self._before)

    def sleep(self, seconds: float) -> None:
        """Pause for so long; raises KeyboardInterrupt."""
        self._asleep = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            time.sleep(seconds)
        finally:
            self._asleep = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asleep or self._asked:
            raise KeyboardInterrupt
        self._asked = True
