"""How training tells what it is doing: a small protocol that displays, logs and tests implement."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

INTERVAL, LONGEST_INTERVAL = 1.0, 10.0
"""Seconds between two reports within an epoch, at least: at the start, and in a run of many minutes."""
GROWTH = 100  # a report after each hundredth of the time so far, within these bounds


@dataclass(frozen=True, kw_only=True)
class RunName:
    """One run of an experiment: a learning system with a seed, and the file it is recorded in."""

    system: str
    seed: int
    path: Path

    def __str__(self) -> str:
        return f"{self.system}, seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What some steps brought, up to `step`, counted from the start of the run.

    Loss and accuracies are means over them; angles, in degrees, are medians over layers as last measured. None: not
    measured. images_per_second: by the clock, waiting for data included. data_wait_share: the share of that time so
    spent.
    """

    step: int
    loss: float
    accuracy: float
    images_per_second: float
    top5_accuracy: float | None = None
    data_wait_share: float | None = None
    matrix_angle: float | None = None
    delta_angle: float | None = None


@dataclass(frozen=True, kw_only=True)
class StepReport(Figures):
    """Where a run of `steps` stands in the midst of an epoch; figures are of the steps since the report before."""

    steps: int
    steps_per_epoch: int

    @property
    def epoch(self) -> float:
        """Epochs done, with their fraction."""
        return self.step / self.steps_per_epoch


@dataclass(frozen=True, kw_only=True)
class EpochReport(Figures):
    """What an epoch brought."""

    epoch: int  # from 1
    epochs: int
    validation_accuracy: float | None = None
    validation_top5_accuracy: float | None = None


class Progress(Protocol):
    """Called from the training thread, between steps; what it does should be quick."""

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None: ...

    def step_finished(self, run: RunName, report: StepReport) -> None:
        """Comes every few seconds, not after every step."""

    def epoch_finished(self, run: RunName, report: EpochReport) -> None: ...

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None: ...

    def noted(self, text: str) -> None:
        """Something worth a line, and the end of nothing."""


class Silent:
    """Progress that nobody watches."""

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
        pass

    def step_finished(self, run: RunName, report: StepReport) -> None:
        pass

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        pass

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
        pass

    def noted(self, text: str) -> None:
        pass


class Together:
    """Several that are told the same, in their order."""

    def __init__(self, *members: Progress) -> None:
        self.members = members

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
        for member in self.members:
            member.run_started(run, number, runs, epochs)

    def step_finished(self, run: RunName, report: StepReport) -> None:
        for member in self.members:
            member.step_finished(run, report)

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        for member in self.members:
            member.epoch_finished(run, report)

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
        for member in self.members:
            member.run_finished(run, accuracy, seconds)

    def noted(self, text: str) -> None:
        for member in self.members:
            member.noted(text)


class Pulse:
    """Tells a Progress from within epochs how its run stands: every INTERVAL seconds at first, later more rarely.

    Call `step` after each step; `seconds` is what it took, modes included, `waited` the time before it in which data
    were not there yet (None: not measured).
    """

    def __init__(
        self, progress: Progress, run: RunName, *, steps: int, steps_per_epoch: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.progress, self.run = progress, run
        self.steps, self.steps_per_epoch = steps, steps_per_epoch
        self._clock = clock
        self._started = self._told = clock()
        self._waited: float | None = None
        self._forget()

    def step(
        self, step: int, *, loss: float, accuracy: float, images: int, seconds: float, waited: float | None = None,
        matrix_angle: float | None = None, delta_angle: float | None = None,
    ) -> None:  # fmt: skip
        self._count += 1
        self._loss += loss
        self._accuracy += accuracy
        self._images += images
        self._seconds += seconds
        self._waited = None if waited is None or self._waited is None else self._waited + waited
        now = self._clock()
        if now - self._told >= min(LONGEST_INTERVAL, max(INTERVAL, (now - self._started) / GROWTH)):
            self._told = now
            self.progress.step_finished(self.run, self._report(step, matrix_angle, delta_angle))
            self._forget()

    def _report(self, step: int, matrix_angle: float | None, delta_angle: float | None) -> StepReport:
        elapsed = self._seconds + (self._waited or 0.0)
        return StepReport(
            step=step,
            steps=self.steps,
            steps_per_epoch=self.steps_per_epoch,
            loss=self._loss / self._count,
            accuracy=self._accuracy / self._count,
            images_per_second=self._images / elapsed if elapsed else math.nan,
            data_wait_share=None if self._waited is None or not elapsed else self._waited / elapsed,
            matrix_angle=matrix_angle,
            delta_angle=delta_angle,
        )

    def _forget(self) -> None:
        self._count = self._images = 0
        self._loss = self._accuracy = self._seconds = 0.0
        self._waited = 0.0
