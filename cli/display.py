"""Progress of an experiment on the screen: one live line in a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .console import console

if TYPE_CHECKING:
    from ..engine.training import EpochReport, RunName

PLAIN_INTERVAL = 15.0  # seconds between lines about a run in progress, where there is no terminal


class Display:
    """Implements `engine.training.Progress`. A context manager: the live line goes when it closes."""

    def __init__(self) -> None:
        self.console = console(stderr=True)
        self._bar = self._live() if self.console.is_terminal else None
        self._task = self._bar.add_task("", total=None) if self._bar else None
        self._counter = ""
        self._last_line = time.monotonic()

    def _live(self):  # type: ignore[no-untyped-def] # rich is not loaded before a display is wanted
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
        )
        return Progress(*columns, console=self.console, transient=True)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def run_started(self, run: "RunName", number: int, runs: int, epochs: int) -> None:
        self._counter = f"[{number:{len(str(runs))}}/{runs}]"
        if self._bar and self._task is not None:
            self._bar.reset(self._task, total=epochs, description=f"{self._counter} {run}")

    def epoch_finished(self, run: "RunName", report: "EpochReport") -> None:
        line = f"{self._counter} {run}: {describe(report)}"
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=report.epoch, description=line)
        elif time.monotonic() - self._last_line > PLAIN_INTERVAL:
            self._print(line)

    def run_finished(self, run: "RunName", accuracy: float, seconds: float) -> None:
        name = str(run)
        self._print(f"{self._counter} {name:<30} test accuracy {accuracy:7.2%}   {seconds:6.1f} s of training")

    def _print(self, line: str) -> None:
        self._last_line = time.monotonic()
        self.console.print(line, soft_wrap=True)


def describe(report: "EpochReport") -> str:
    """An epoch in one line."""
    parts = [
        f"epoch {report.epoch}/{report.epochs}",
        f"loss {report.loss:.3f}",
        f"accuracy {report.accuracy:.1%}",
        f"{report.images_per_second:,.0f} images/s",
    ]
    if report.validation_accuracy is not None:
        parts.append(f"validation {report.validation_accuracy:.1%}")
    if report.delta_angle is not None:
        parts.append(f"delta angle {report.delta_angle:.0f}°")
    return ", ".join(parts)
