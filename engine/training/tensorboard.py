"""A run's figures on TensorBoard: an optional extra, for those whose eyes are used to it."""

from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import ExperimentError
from .output import OutputFolder, unwritable
from .progress import EpochReport, Figures, RunName, StepReport

FILES = "events.out.tfevents.*"
TAGS = {
    "loss": "train/loss",
    "accuracy": "train/top-1",
    "top5_accuracy": "train/top-5",
    "validation_accuracy": "validation/top-1",
    "validation_top5_accuracy": "validation/top-5",
    "images_per_second": "speed/images per second",
    "data_wait_share": "speed/share of time waiting for data",
    "matrix_angle": "angles/matrix, median over layers",
    "delta_angle": "angles/delta, median over layers",
}


class TensorBoard:
    """Implements `Progress`. Each run has a folder RUN.tensorboard in `output`; steps count from the start of the run.

    Raises ExperimentError where the package tensorboard is missing.
    """

    def __init__(self, output: OutputFolder) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ExperimentError(
                f"TensorBoard needs a package that is not there ({error}). "
                'Install it: pip install "counterstream[tensorboard]"'
            ) from None
        self._output, self._make = output, SummaryWriter
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def run_started(self, run: RunName, number: int, runs: int, epochs: int) -> None:
        self._close()

    def step_finished(self, run: RunName, report: StepReport) -> None:
        self._write(run, report)

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        self._write(run, report)

    def run_finished(self, run: RunName, accuracy: float, seconds: float) -> None:
        self._close()

    def noted(self, text: str) -> None:
        pass

    def _write(self, run: RunName, report: Figures) -> None:
        if self._writer is None:  # only now its first step is known: what an earlier part said from there on is purged
            folder = self._output.folder(f"{run.path.stem}.tensorboard", FILES)
            self._writer = self._make(str(folder), purge_step=report.step)
        try:
            self._add(report)
        except OSError as error:  # of the thread that writes, which tells of it later
            raise ExperimentError(unwritable(Path(self._writer.log_dir), error)) from None

    def _add(self, report: Figures) -> None:
        said: dict[str, Any] = {field.name: getattr(report, field.name) for field in fields(report)}
        for name, tag in TAGS.items():
            if said.get(name) is not None:
                self._writer.add_scalar(tag, said[name], report.step)

    def _close(self) -> None:
        if self._writer is not None:
            with suppress(OSError):  # of what is a copy of other records
                self._writer.close()
            self._writer = None
