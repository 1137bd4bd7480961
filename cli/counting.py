"""Progress of work that is counted: one live line in a terminal, a plain line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from .console import console

PLAIN_INTERVAL = 15.0  # seconds between lines where there is no terminal


class Counting:
    """A context manager. Call `add` with how many things were done since the last call."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.console = console(stderr=True)
        self._bar = self._live() if self.console.is_terminal else None
        self._task = self._bar.add_task(what, total=total) if self._bar else None
        self._started = self._last_line = time.monotonic()

    def _live(self):  # type: ignore[no-untyped-def] # rich is not loaded before a display is wanted
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn())
        return Progress(*columns, TimeRemainingColumn(elapsed_when_finished=True), console=self.console, transient=True)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def add(self, number: int) -> None:
        self.done += number
        now = time.monotonic()
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self.done)
        elif now - self._last_line > PLAIN_INTERVAL:
            self._last_line = now
            left = self.seconds / self.done * (self.total - self.done) if self.done else 0
            self.console.print(f"{self.what}: {self.done:,} of {self.total:,}, {left:,.0f} s left", soft_wrap=True)
