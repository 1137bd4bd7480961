"""Progress of an experiment on the screen: a live bar with figures below it in a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .console import console
from .lines import Lines

if TYPE_CHECKING:
    from rich.console import Console

    from ..engine.training import EpochReport, RunName, StepReport

LONG_EPOCH = 60.0  # seconds: the ends of epochs that take longer stay on the terminal


class Display:
    """Implements `engine.training.Progress`. A context manager: the live lines go when it closes."""

    def __init__(self, screen: "Console | None" = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = screen or console(stderr=True)
        self._live = _Live(self.console) if self.console.is_terminal else None
        kept = {"epoch_spacing": LONG_EPOCH, "within_epochs": False} if self._live else {}
        self._lines = Lines(self._print, clock=clock, **kept)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def run_started(self, run: "RunName", number: int, runs: int, epochs: int) -> None:
        self._lines.run_started(run, number, runs, epochs)
        if self._live:
            self._live.begin(f"[{number}/{runs}] {run}", epochs)

    def step_finished(self, run: "RunName", report: "StepReport") -> None:
        self._lines.step_finished(run, report)
        if self._live:
            self._live.tell(report.epoch, self._lines.said(report))

    def epoch_finished(self, run: "RunName", report: "EpochReport") -> None:
        self._lines.epoch_finished(run, report)
        if self._live:
            self._live.tell(report.epoch, self._lines.said(report))

    def run_finished(self, run: "RunName", accuracy: float, seconds: float) -> None:
        self._lines.run_finished(run, accuracy, seconds)

    def noted(self, text: str) -> None:
        self._lines.noted(text)

    def _print(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)


class _Live:
    """A bar over the epochs of a run, and a line of figures below it. rich is loaded only where there is a terminal."""

    def __init__(self, screen: "Console") -> None:
        from rich.console import Group
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.text import Text

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
        self._bar = Progress(*columns, TimeElapsedColumn(), console=screen)
        self._task = self._bar.add_task("", total=None)
        self._figures = Text()
        self._live = Live(Group(self._bar, self._figures), console=screen, transient=True)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def begin(self, name: str, epochs: int) -> None:
        self._bar.reset(self._task, total=epochs, description=name)
        self._figures.plain = ""

    def tell(self, epoch: float, said: str) -> None:
        self._bar.update(self._task, completed=epoch)
        self._figures.plain = said
