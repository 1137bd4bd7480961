"""The recorder: a run hands it arrays and numbers and trains on, while a thread of its own writes them."""

import math
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from operator import index
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsIndex

import numpy as np

from . import layout
from .about import About
from .errors import RecordingError
from .file import Record, RunFile
from .layout import NOTHING
from .matching import check_same_run
from .recordable import Misfit, Recordable
from .writer import Buffer, End, Mark, Result, Status, Writer

WORDS = {"weights": "synapses", "signals": "signals", "alignment": "alignment", "metrics": "metrics"}
"""The group of each argument of `write`."""


class Recorder:
    """Writes one run to one HDF5 file. Its life: enrol, prepare (or resume), write, close.

    1. `enrol` says what will be recorded; nothing is touched. Problems are named at once, all of them.
    2. `prepare` makes the file with all its datasets, empty, and all memory that will be used; nothing is at `path`
       before. `resume` opens the file of an earlier part of the same run instead, and cuts it back.
    3. `write` copies what it is given into one of `buffers` preallocated sets of arrays and returns; if none is free
       it waits for the thread that writes. Memory: `buffers` records of weights and of signals (`memory`, in bytes).
    4. Records reach the file in the order of the calls. A record is confirmed once it is complete there; confirmed
       ones survive the end of the process, however it comes (a power cut: only what `close` ended).
    5. When a write fails, the next call raises RecordingError, and so does every later one; the file stays readable,
       with all that was confirmed.
    6. `close` writes what is pending and says how the run ended; Ctrl-C meanwhile takes effect when that is done. As
       a context manager the recorder closes with "complete", "interrupted" (KeyboardInterrupt) or "failed" (any other
       exception). A file whose status is "running" is being written, or its writer was killed or failed.

    Call it from one thread.
    """

    def __init__(self, path: str | PathLike[str], about: About, *, buffers: int = 2):
        self.path = Path(path)
        self.about = about
        self._buffers = buffers
        self._enrolled: dict[str, Recordable] = {}
        self._last: dict[str, tuple[int, float]] = {}
        self._writer: Writer | None = None
        self._closed = False

    # ---- enrol, prepare

    def enrol(self, *recordables: Recordable) -> Self:
        """Says what will be recorded: `Weights`, `Signals`, `Alignment`, `Metrics`, each at most once."""
        if self._writer or self._closed:
            raise RecordingError(f"{self.path}: enrol before the recording is prepared; its datasets are made once")
        for recordable in recordables:
            if recordable.group in self._enrolled:
                raise RecordingError(f"{self.path}: {recordable.group} are enrolled already; enrol all of them at once")
            if problems := list(recordable.problems()):
                raise RecordingError("\n".join(f"{self.path}: {problem}" for problem in problems))
            self._enrolled[recordable.group] = recordable
        return self

    def prepare(self, *, overwrite: bool = False) -> Self:
        """Makes the file. Raises RecordingError where one is there already, unless `overwrite`."""
        layout.create(self.path, self.about, self._enrolled.values(), overwrite=overwrite)
        self._start(RunFile(self.path, self._every_group()))
        return self

    def resume(self, step: int | None = None) -> Self:
        """Opens the file of an earlier part of this run and takes back every record beyond `step` (None: none).

        Raises RecordingError, and leaves the file as it is, where it holds another circuit, system or seed, or other
        datasets than were enrolled.
        """
        check_same_run(self.path, self.about, self._enrolled.values())
        file = RunFile(self.path, self._every_group())
        file.cut_back(step)
        self._start(file)
        return self

    def _every_group(self) -> list[Recordable]:
        return [self._enrolled.get(nothing.group, nothing) for nothing in NOTHING]

    def _start(self, file: RunFile) -> None:
        last = {nothing.group: file.last_instant(nothing.group) for nothing in NOTHING}
        self._last = {group: instant for group, instant in last.items() if instant is not None}
        self._writer = Writer(file, self.path, list(self._enrolled.values()), self._buffers)

    @property
    def memory(self) -> int:
        """Bytes of the arrays that were allocated for records on their way to the file."""
        return self._writer.memory if self._writer else 0

    @property
    def last_steps(self) -> Mapping[str, int]:
        """The step of the last record of each group that has any: synapses, signals, alignment, metrics."""
        return {group: step for group, (step, _) in self._last.items()}

    # ---- write

    def write(
        self,
        *,
        step: int,
        epoch: float,
        weights: Mapping[str, Any] | None = None,
        signals: Mapping[str, Mapping[str, Any]] | None = None,
        alignment: Mapping[str, Mapping[str, float]] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Records one instant: of each group that is given, one record.

        `weights`: arrays by projection; `signals`: {"rate": array, "delta": array} by population; `alignment`:
        numbers by name under matrix_angle, norm_ratio, delta_angle and local_angle; `metrics`: numbers by name.
        Arrays are copied before this returns and may change afterwards. In each group steps, whole numbers, increase,
        and epochs, finite ones, never fall. Either all that is given is recorded, or an error says what does not fit
        and nothing is.
        """
        writer = self._open()
        given = {"weights": weights, "signals": signals, "alignment": alignment, "metrics": metrics}
        records: list[Record] = []
        try:
            for word, values in given.items():
                if values is not None:
                    records.append(self._record(writer, word, step, epoch, values))
        except BaseException:
            self._take_back(writer, records)
            raise
        for record in records:
            writer.hand_over(record)
            self._last[record.group] = (record.step, record.epoch)

    def result(self, name: str, value: float | int | str) -> None:
        """Records a final figure of the run; a later value of the same name replaces it."""
        self._open().hand_over(Result(name, value))

    def mark(self) -> "Future[None]":
        """Done, with the writer's error if it has one, once all that was handed over is in the file, on the disk
        itself. Whoever saves something that goes on from these records waits for it first; any thread may.
        """
        passed: Future[None] = Future()
        self._open().hand_over(Mark(passed))
        return passed

    def _open(self) -> Writer:
        if self._closed:
            raise RecordingError(f"{self.path}: the recording is closed; nothing more can be recorded")
        if self._writer is None:
            raise RecordingError(f"{self.path}: the recording is not prepared: call prepare() or resume() first")
        return self._writer

    def _record(self, writer: Writer, word: str, step: int, epoch: float, values: Mapping[str, Any]) -> Record:
        recordable = self._enrolled.get(WORDS[word])
        try:
            if recordable is None:
                raise Misfit(f"{word} were not enrolled, so the file has no place for them")
            step, epoch = self._instant(step, epoch, recordable.group)
            if not recordable.staged:
                return Record(group=recordable.group, step=step, epoch=epoch, rows=dict(recordable.rows(values)))
            buffer = writer.borrow(recordable.group)
            try:
                _fill(buffer, recordable.rows(values))
            except BaseException:
                writer.give_back(recordable.group, buffer)
                raise
            return Record(group=recordable.group, step=step, epoch=epoch, rows=buffer)
        except Misfit as misfit:
            raise RecordingError(f"{self.path}: {misfit}") from None

    def _instant(self, given: SupportsIndex, epoch: float, group: str) -> tuple[int, float]:
        """Step and epoch of a record as plain numbers. Misfit where they cannot follow those of the last one."""
        try:
            step = index(given)
        except TypeError:
            raise Misfit(f"step must be a whole number (got {given!r})") from None
        epoch = float(epoch)
        if step < 0:
            raise Misfit(f"step must not be negative (got {step})")
        if not (math.isfinite(epoch) and epoch >= 0):
            raise Misfit(f"epoch must be finite and not negative (got {epoch:g})")
        last_step, last_epoch = self._last.get(group, (-1, 0.0))
        if step <= last_step:
            raise Misfit(f"step of {group} must be greater than that of the last record, {last_step} (got {step})")
        if epoch < last_epoch:
            raise Misfit(
                f"epoch of {group} must not be less than that of the last record, {last_epoch:g} (got {epoch:g})"
            )
        return step, epoch

    def _take_back(self, writer: Writer, records: Iterable[Record]) -> None:
        for record in records:
            if self._enrolled[record.group].staged:
                writer.give_back(record.group, dict(record.rows))

    # ---- close

    def close(self, *, status: Status = "complete", message: str = "") -> None:
        """Writes what is pending, says how the run ended, and closes the file. Closing twice does nothing."""
        writer, self._writer = self._writer, None
        was_closed, self._closed = self._closed, True
        if writer is not None and not was_closed:
            writer.finish(End(status, message))

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        interrupted = isinstance(error, KeyboardInterrupt)
        message = f"{error}" or "interrupted from the keyboard" if interrupted else f"{type(error).__name__}: {error}"
        try:
            self.close(status="interrupted" if interrupted else "failed", message=message)
        except RecordingError as also:
            if also is not error:
                error.add_note(f"The recording failed as well: {also}")


def _fill(buffer: Buffer, rows: Iterable[tuple[str, Any]]) -> None:
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity and thereby visible
        for path, array in rows:
            np.copyto(buffer[path], array, casting="same_kind")
