"""The recorder: a run hands it arrays and numbers and trains on, while a thread of its own writes them."""

import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from ...circuits.errors import suggest
from . import layout
from .errors import RecordingError
from .file import MetricsRecord, RunFile, SnapshotRecord
from .precision import PRECISIONS, Precision, storage_dtype, store
from .schema import Schema

Status = Literal["complete", "interrupted", "failed"]
Arrays = dict[str, np.ndarray]

COMPRESSIONS = (None, "gzip", "lzf")  # filters that every HDF5 reader (gzip) or every h5py (lzf) has
PENDING_RECORDS = 1024


@dataclass(frozen=True)
class _Result:
    name: str
    value: float | int | str


@dataclass(frozen=True)
class _End:
    status: Status
    message: str


_Record = SnapshotRecord | MetricsRecord | _Result | _End


class Recorder:
    """Writes one run to one HDF5 file.

    1. The file with all its datasets exists once the constructor returns; nothing is at `path` before.
    2. `snapshot` copies what it is given into one of `buffers` preallocated sets of arrays and returns; if
       none is free it waits for the writer. Memory: `buffers` snapshots.
    3. Records reach the file in the order of the calls. A record is confirmed once it is complete there;
       confirmed ones survive the end of the process, however it comes (a power cut: only what `close` ended).
    4. When a write fails, the next call raises RecordingError, and so does every later one; the file stays
       readable, with all that was confirmed.
    5. As a context manager it closes with "complete", "interrupted" (Ctrl-C) or "failed" (any other
       exception). A file whose status is "running" is being written, or its writer was killed or failed.

    Call it from one thread.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        schema: Schema,
        *,
        overwrite: bool = False,
        precision: Precision = "float32",
        compression: Literal["gzip", "lzf"] | None = None,
        buffers: int = 2,
    ):
        self.path = Path(path)
        self._schema = schema
        self._precision: Precision = precision
        schema.check()
        if precision not in PRECISIONS:
            raise RecordingError(f"precision {precision!r}: {suggest(precision, PRECISIONS)}")
        if compression not in COMPRESSIONS:
            raise RecordingError(f"compression {compression!r}: it must be None, 'gzip' or 'lzf'")
        layout.create(self.path, schema, overwrite=overwrite, precision=precision, compression=compression)
        self._file = RunFile(self.path)
        self._free = [self._allocate() for _ in range(buffers)]
        self._pending: deque[_Record] = deque()
        self._changed = threading.Condition()
        self._error: RecordingError | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="counterstream recorder", daemon=True)
        self._thread.start()

    def snapshot(
        self,
        *,
        step: int,
        epoch: float,
        weights: Mapping[str, np.ndarray],
        delta_angles: Mapping[str, float] | None = None,
    ) -> None:
        """Records the weights of every projection of the schema, and delta angles in degrees, at one instant.

        The arrays are copied before this returns and may change afterwards.
        """
        self._check_step(step)
        self._check_weights(weights)
        angles = dict(delta_angles or {})
        self._check_names("population", angles, self._schema.populations)
        self._wait(lambda: bool(self._free))
        arrays = self._free.pop()
        for name, array in arrays.items():
            store(np.asarray(weights[name]), array, self._precision)
        self._hand_over(SnapshotRecord(step=step, epoch=epoch, weights=arrays, delta_angles=angles))

    def metrics(self, *, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Adds one row to the metrics table; metrics of the schema that `values` lacks are NaN in it."""
        self._check_step(step)
        self._check_names("metric", values, self._schema.metrics)
        self._hand_over(MetricsRecord(step=step, epoch=epoch, values=dict(values)))

    def result(self, name: str, value: float | int | str) -> None:
        """Records a final figure of the run; a later value of the same name replaces it."""
        self._hand_over(_Result(name, value))

    def close(self, *, status: Status, message: str = "") -> None:
        """Writes what is pending, says how the run ended, and closes the file. Closing twice does nothing."""
        if self._closed:
            return
        try:
            self._hand_over(_End(status, message))
        finally:
            self._closed = True
            self._thread.join()
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close(status="complete")
            return
        interrupted = isinstance(error, KeyboardInterrupt)
        message = "interrupted from the keyboard" if interrupted else f"{type(error).__name__}: {error}"
        try:
            self.close(status="interrupted" if interrupted else "failed", message=message)
        except RecordingError as also:
            if also is not error:
                error.add_note(f"The recording failed as well: {also}")

    # -- the training thread ---------------------------------------------------------------------------

    def _allocate(self) -> Arrays:
        """Arrays for one snapshot, touched now: page faults would cost training more than the copies."""
        dtype = storage_dtype(self._precision)
        return {s.projection: np.full(tuple(s.shape), 0, dtype) for s in self._schema.synapses}

    def _check_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        shapes = {synapse.projection: tuple(synapse.shape) for synapse in self._schema.synapses}
        self._check_names("projection", weights, shapes)
        for name, shape in shapes.items():
            if name not in weights:
                raise RecordingError(f"{self.path}: a snapshot must hold every projection (got none for {name!r})")
            if np.shape(weights[name]) != shape:
                got = np.shape(weights[name])
                raise RecordingError(f"{self.path}: weights of {name!r} must have shape {shape} (got {got})")

    def _check_names(self, kind: str, given: Iterable[str], declared: Collection[str]) -> None:
        for name in given:
            if name not in declared:
                near = suggest(name, declared)
                raise RecordingError(f"{self.path}: {kind} {name!r} is not in the schema. {near}")

    def _check_step(self, step: int) -> None:
        if step < 0:
            raise RecordingError(f"{self.path}: step must not be negative (got {step})")

    def _hand_over(self, record: _Record) -> None:
        self._wait(lambda: len(self._pending) < PENDING_RECORDS)
        with self._changed:
            self._pending.append(record)
            self._changed.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        if self._closed:
            raise RecordingError(f"{self.path}: the recording is closed; nothing more can be recorded")
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or ready())
        if self._error:
            raise self._error

    # -- the writer's thread ---------------------------------------------------------------------------

    def _write_all(self) -> None:
        while True:
            records = self._take()
            try:
                self._write(records)
            except Exception as error:  # whatever it is, the training thread must hear of it
                self._fail(records[0], error)
                return
            if isinstance(records[0], _End):
                return

    def _take(self) -> list[_Record]:
        """The next record; of metrics all that wait, since a block of rows costs no more than one."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._pending))
            records = [self._pending.popleft()]
            while isinstance(records[0], MetricsRecord) and self._pending:
                if not isinstance(self._pending[0], MetricsRecord):
                    break
                records.append(self._pending.popleft())
            self._changed.notify_all()
        return records

    def _write(self, records: list[_Record]) -> None:
        match records[0]:
            case SnapshotRecord() as snapshot:
                self._file.append_snapshot(snapshot)
                with self._changed:
                    self._free.append(dict(snapshot.weights))
                    self._changed.notify_all()
            case MetricsRecord():
                self._file.append_metrics([record for record in records if isinstance(record, MetricsRecord)])
            case _Result(name, value):
                self._file.set_result(name, value)
            case _End(status, message):
                self._file.finish(status, message)

    def _fail(self, record: _Record, cause: Exception) -> None:
        what = {SnapshotRecord: "a snapshot", MetricsRecord: "metrics", _Result: "a result", _End: "the end"}
        at = f" of step {record.step}" if isinstance(record, SnapshotRecord | MetricsRecord) else ""
        self._file.abandon()
        # HDF5 words a failed write in three lines of addresses; the system's own word for it is what helps.
        why = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else str(cause)
        error = RecordingError(
            f"{self.path}: recording stopped, {what[type(record)]}{at} could not be written: {why}. "
            "The file holds every record confirmed before and opens as usual. "
            "Make room or choose another place, then run again"
        )
        error.__cause__ = cause
        with self._changed:
            self._error = error
            self._pending.clear()
            self._changed.notify_all()
