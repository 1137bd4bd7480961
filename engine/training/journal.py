"""A run's figures as they come, for other programs: one JSON object a line."""

import json
import math
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import ExperimentError
from .output import unwritable
from .progress import EpochReport, Figures, RunName, StepReport


class Journal:
    """Implements `Progress`. Appends to a file of JSON lines, each written as soon as it is said.

    Every line has `time` (ISO 8601, UTC), `event` (`started`, `steps`, `epoch`, `finished`, `noted`) and, but for
    notes, `system` and `seed`; then the figures of the report, named as in `Figures`: what was not measured is left
    out, what is not finite is null. A run that is taken up again appends: where a `step` occurs twice, the later line
    counts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            _cut_back(path)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ExperimentError(f"{path}: cannot be written ({error.strerror})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of what it did not take; said when it was handed over
            self._file.close()

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
        self._put("started", run, file=run.path.name, number=number, runs=runs, epochs=epochs)

    def step_finished(self, run: RunName, report: StepReport) -> None:
        self._put("steps", run, epoch=report.epoch, **_figures(report))

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        self._put("epoch", run, **_figures(report))

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
        self._put("finished", run, test_accuracy=accuracy, training_seconds=seconds)

    def noted(self, text: str) -> None:
        self._put("noted", None, text=text)

    def _put(self, event: str, run: RunName | None, **more: Any) -> None:
        which = {} if run is None else {"system": run.system, "seed": run.seed}
        line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **which, **more}
        finite = {name: None if isinstance(value, float) and not math.isfinite(value) else value
                  for name, value in line.items()}  # fmt: skip
        try:
            self._file.write(json.dumps(finite, allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise ExperimentError(unwritable(self._path, error)) from None


def _cut_back(path: Path) -> None:
    """Cut off a line that was begun and not ended, as a full disk or SIGKILL leaves it: a line appended to it would be
    lost, too.
    """
    if not path.is_file():
        return
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def _figures(report: Figures) -> dict[str, Any]:
    """What a report says, without what was not measured."""
    said = {field.name: getattr(report, field.name) for field in fields(report)}
    return {name: value for name, value in said.items() if value is not None}
