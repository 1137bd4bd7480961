"""Progress of an experiment on the screen: a live bar with figures below it in a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .console import console
from .glance import duration
from .pace import Pace

if TYPE_CHECKING:
    from rich.console import Console

    from ..engine.training import EpochReport, RunName, StepReport
    from ..engine.training.progress import Figures

SHORTEST, LONGEST = 15.0, 300.0
"""Seconds between plain lines about a run: few lines in a log of days, and news at once at the start."""
GROWTH = 20  # a line after each twentieth of the time so far, within these bounds
LONG_EPOCH = 60.0  # seconds: the ends of epochs that take longer stay on the terminal


class Display:
    """Implements `engine.training.Progress`. A context manager: the live lines go when it closes."""

    def __init__(self, screen: "Console | None" = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = screen or console(stderr=True)
        self._clock = clock
        self._live = _Live(self.console) if self.console.is_terminal else None
        self._pace = Pace(clock)
        self._counter = ""
        self._printed = clock()

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
        self._counter = f"[{number:{len(str(runs))}}/{runs}]"
        self._pace.begin(number, runs)
        if self._live:
            self._live.begin(f"{self._counter} {run}", epochs)

    def step_finished(self, run: "RunName", report: "StepReport") -> None:
        self._pace.at(report.step / report.steps)
        at = f"epoch {report.epoch:.2f}/{report.steps // report.steps_per_epoch}"
        self._tell(run, at, report.epoch, report, math.inf if self._live else self._spacing())

    def epoch_finished(self, run: "RunName", report: "EpochReport") -> None:
        self._pace.at(report.epoch / report.epochs)
        spacing = LONG_EPOCH if self._live else SHORTEST
        self._tell(run, f"epoch {report.epoch}/{report.epochs}", report.epoch, report, spacing)

    def run_finished(self, run: "RunName", accuracy: float, seconds: float) -> None:
        self._pace.end()
        name = str(run)
        self._print(f"{self._counter} {name:<30} test accuracy {accuracy:7.2%}   {seconds:6.1f} s of training")

    def noted(self, text: str) -> None:
        self._print(text)

    def _tell(self, run: "RunName", at: str, epoch: float, figures: "Figures", spacing: float) -> None:
        said = ", ".join([at, *describe(figures), *self._left()])
        if self._live:
            self._live.tell(epoch, said)
        if self._clock() - self._printed >= spacing:
            self._print(f"{self._counter} {run}: {said}")

    def _left(self) -> list[str]:
        run, everything = self._pace.left, self._pace.left_in_all
        parts = [] if run is None else [f"{duration(run)} left"]
        return parts if everything is None else [*parts, f"{duration(everything)} for all runs"]

    def _spacing(self) -> float:
        return min(LONGEST, max(SHORTEST, self._pace.elapsed / GROWTH))

    def _print(self, line: str) -> None:
        self._printed = self._clock()
        self.console.print(line, soft_wrap=True)


def describe(figures: "Figures") -> list[str]:
    """What some steps brought, in a few words each; what was not measured is left out."""
    parts = [f"loss {figures.loss:.3f}", f"top-1 {figures.accuracy:.1%}"]
    for name, shown in (("top5_accuracy", "top-5"), ("validation_accuracy", "validation"),
                        ("validation_top5_accuracy", "validation top-5")):  # fmt: skip
        value = getattr(figures, name, None)
        if value is not None:
            parts.append(f"{shown} {value:.1%}")
    parts.append(f"{figures.images_per_second:,.0f} images/s")
    if figures.data_wait is not None:
        parts.append(f"data wait {figures.data_wait:.0%}")
    angles = (("matrix", figures.matrix_angle), ("delta", figures.delta_angle))
    return [*parts, *(f"{kind} angle {degrees:.0f}°" for kind, degrees in angles if degrees is not None)]


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
