"""Ctrl-C and SIGTERM at a safe place: asked for at any time, carried out between two steps."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

HANDLED = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Raised where a run stops because a signal asked for it."""

    def __init__(self, number: int) -> None:
        super().__init__("interrupted from the keyboard" if number == signal.SIGINT else "terminated by SIGTERM")
        self.number = number


class Interruption:
    """While entered, the first Ctrl-C or SIGTERM is remembered as `asked`; another Ctrl-C raises KeyboardInterrupt.

    Without it the interrupt may strike inside a library's callback, which swallows it, or in the middle of a record.
    SIGTERM may come several times, from a batch system and from torchrun. Outside the main thread Python delivers no
    signals, and it does nothing.
    """

    def __init__(self) -> None:
        self.asked = 0
        """The number of the signal that asked to stop; 0 before any did."""

    def __enter__(self) -> Self:
        self._handles = threading.current_thread() is threading.main_thread()
        if self._handles:
            self._before = {number: signal.signal(number, self._ask) for number in HANDLED}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handles:
            for number, before in self._before.items():
                signal.signal(number, before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = self.asked or number
