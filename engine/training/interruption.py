"""Ctrl-C at a safe place: asked for at any time, carried out between two steps."""

import signal
import threading
from types import FrameType


class Interruption:
    """While entered, the first Ctrl-C is remembered and `check` raises KeyboardInterrupt; a second one raises at once.

    Without it the interrupt may strike inside a library's callback, which swallows it, or in the middle of a record.
    Outside the main thread Python delivers no signals, and it does nothing.
    """

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> "Interruption":
        self._handles = threading.current_thread() is threading.main_thread()
        if self._handles:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        if self._handles:
            signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
