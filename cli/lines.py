"""Progress of an experiment in plain lines: for a log, a pipe, and what stays on a terminal."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .glance import duration
from .pace import Pace

if TYPE_CHECKING:
    from ..engine.training import EpochReport, RunName, StepReport
    from ..engine.training.progress import Figures

SHORTEST, LONGEST = 15.0, 300.0
"""Seconds between lines from within a run: news at once at the start, few lines in a log of days."""
GROWTH = 20  # a line after each twentieth of the time so far, within these bounds
ACCURACIES = {
    "accuracy": "top-1",
    "top5_accuracy": "top-5",
    "validation_accuracy": "validation",
    "validation_top5_accuracy": "validation top-5",
}


class Lines:
    """Implements `engine.training.Progress`: hands lines to `write`.

    epoch_spacing: seconds since the last such line after which the end of an epoch is worth one: where epochs are
    longer, each is, for it says how the validation went. within_epochs: whether reports from within epochs are, too,
    ever more rarely.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        epoch_spacing: float = SHORTEST,
        within_epochs: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._clock = write, clock
        self._epoch_spacing, self._within_epochs = epoch_spacing, within_epochs
        self._pace = Pace(clock)
        self._counter = ""
        self._written = self._epoch_written = clock()

    def run_started(self, run: "RunName", number: int, runs: int, epochs: int) -> None:
        self._counter = f"[{number:{len(str(runs))}}/{runs}]"
        self._pace.begin(number, runs)

    def step_finished(self, run: "RunName", report: "StepReport") -> None:
        self._pace.at(report.step / report.steps)
        spacing = min(LONGEST, max(SHORTEST, self._pace.elapsed / GROWTH))
        if self._within_epochs and self._clock() - self._written >= spacing:
            self._put(f"{self._counter} {run}: {self.said(report)}")

    def epoch_finished(self, run: "RunName", report: "EpochReport") -> None:
        self._pace.at(report.epoch / report.epochs)
        if self._clock() - self._epoch_written >= self._epoch_spacing:
            self._epoch_written = self._clock()
            self._put(f"{self._counter} {run}: {self.said(report)}")

    def run_finished(self, run: "RunName", accuracy: float, seconds: float) -> None:
        self._pace.end()
        name = str(run)
        self._put(f"{self._counter} {name:<30} test accuracy {accuracy:7.2%}   {seconds:6.1f} s of training")

    def noted(self, text: str) -> None:
        self._put(text)

    def said(self, report: "StepReport | EpochReport") -> str:
        """A report in a line, with the time left behind it."""
        run, everything = self._pace.left, self._pace.left_in_all
        left = [] if run is None else [f"{duration(run)} left"]
        left += [] if everything is None else [f"{duration(everything)} for all runs"]
        return ", ".join([_at(report), *describe(report), *left])

    def _put(self, line: str) -> None:
        self._written = self._clock()
        self._write(line)


def describe(figures: "Figures") -> list[str]:
    """What some steps brought, in a few words each; what was not measured is left out."""
    shares = ((shown, getattr(figures, name, None)) for name, shown in ACCURACIES.items())
    angles = (("matrix", figures.matrix_angle), ("delta", figures.delta_angle))
    waiting = [] if figures.data_wait_share is None else [f"data wait {figures.data_wait_share:.0%}"]
    return [
        f"loss {figures.loss:.3f}",
        *(f"{shown} {value:.1%}" for shown, value in shares if value is not None),
        f"{figures.images_per_second:,.0f} images/s",
        *waiting,
        *(f"{kind} angle {degrees:.0f}°" for kind, degrees in angles if degrees is not None),
    ]


def _at(report: "StepReport | EpochReport") -> str:
    within = getattr(report, "steps_per_epoch", None)
    if within is None:
        return f"epoch {report.epoch}/{report.epochs}"  # type: ignore[union-attr] # the end of one
    return f"epoch {report.epoch:.2f}/{report.steps // within}"  # type: ignore[union-attr]
