"""The thread that writes: it takes records in their order, puts them into the file, and gives their buffers back."""

import atexit
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .errors import RecordingError, reason
from .file import Record, RunFile
from .precision import staging_dtype
from .recordable import Recordable

Status = Literal["complete", "interrupted", "failed"]
Buffer = dict[str, np.ndarray]

PENDING_RECORDS = 1024
NEVER_CLOSED = "the process ended before the recording was closed"


@dataclass(frozen=True)
class Result:
    """A final figure of the run."""

    name: str
    value: float | int | str


@dataclass(frozen=True)
class End:
    """How the run ended."""

    status: Status
    message: str


@dataclass(frozen=True)
class Mark:
    """A place among the entries: `passed` is done once all before it are in the file, on the disk itself."""

    passed: "Future[None]"


Entry = Record | Result | Mark | End


class Writer:
    """Owns an open file. What it is handed is in the file some time later, or an error is raised at the next call.

    `buffers` sets of arrays are allocated for each group of arrays and no further one ever: who wants one while all
    are in use waits.

    A thread that is stopped inside HDF5 holds its lock for ever, and the interpreter's own end then waits for that. So
    the thread is waited for whatever happens: `finish` puts interrupts off, and a process that ends without it ends the
    recording first.
    """

    def __init__(self, file: RunFile, path: Path, recordables: Iterable[Recordable], buffers: int) -> None:
        self._file = file
        self._path = path
        self._staged = frozenset(one.group for one in recordables if one.staged)
        self._free = {one.group: [_allocate(one) for _ in range(buffers)] for one in recordables if one.staged}
        self.memory = sum(
            array.nbytes for stock in self._free.values() for buffer in stock for array in buffer.values()
        )
        """Bytes of all buffers."""
        self._pending: deque[Entry] = deque()
        self._changed = threading.Condition()
        self._error: RecordingError | None = None
        self._end: End | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="counterstream recorder", daemon=True)
        self._thread.start()
        atexit.register(self._close_late)

    # ---- called by the training thread

    def borrow(self, group: str) -> Buffer:
        """A free buffer of a group; waits for one."""
        self._wait(lambda: bool(self._free[group]))
        return self._free[group].pop()

    def give_back(self, group: str, buffer: Buffer) -> None:
        """A buffer that holds nothing to be written."""
        with self._changed:
            self._free[group].append(buffer)
            self._changed.notify_all()

    def hand_over(self, entry: Record | Result | Mark) -> None:
        """Queues what is to be written; waits where too much is queued already."""
        with self._changed:  # held throughout: a mark queued after a failure would wait for ever
            self._wait(lambda: len(self._pending) < PENDING_RECORDS)
            self._pending.append(entry)
            self._changed.notify_all()

    def finish(self, end: End) -> None:
        """Writes what is pending and the end, and closes the file. An interrupt is raised when that is done."""
        interrupt: KeyboardInterrupt | None = None
        while not self._done.is_set():
            try:
                with self._changed:
                    self._end = end  # never waits for room, and may be said twice
                    self._changed.notify_all()
                self._done.wait()  # not `join`: before Python 3.13 an interrupted one takes the thread for dead
            except KeyboardInterrupt as caught:
                interrupt = caught
        atexit.unregister(self._close_late)
        if self._error:
            raise self._error
        if interrupt:
            raise interrupt

    def _close_late(self) -> None:
        """At the end of a process that never closed the recording. A forked one has no such thread, nor the file."""
        if self._thread.is_alive():
            with suppress(RecordingError):
                self.finish(End("failed", NEVER_CLOSED))

    def _wait(self, ready: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or ready())
        if self._error:
            raise self._error

    # ---- the writer's own thread

    def _write_all(self) -> None:
        try:
            self._write_until_end()
        finally:
            self._done.set()

    def _write_until_end(self) -> None:
        while True:
            entries = self._take()
            try:
                self._write(entries)
            except Exception as error:  # whatever it is, the training thread must hear of it
                self._fail(entries[0], error)
                return
            if isinstance(entries[0], End):
                return

    def _take(self) -> list[Entry]:
        """The next entry; of a group of numbers all that wait in a row, since a block costs no more than one. The end
        comes when nothing else is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._pending) or self._end is not None)
            if not self._pending and self._end is not None:
                return [self._end]
            entries = [self._pending.popleft()]
            while self._pending and self._joins(entries[0], self._pending[0]):
                entries.append(self._pending.popleft())
            self._changed.notify_all()
        return entries

    def _joins(self, first: Entry, following: Entry) -> bool:
        both = isinstance(first, Record) and isinstance(following, Record)
        return both and first.group == following.group and first.group not in self._staged  # type: ignore[union-attr]

    def _write(self, entries: list[Entry]) -> None:
        match entries[0]:
            case Record(group=group, rows=rows):
                self._file.append([entry for entry in entries if isinstance(entry, Record)])
                if group in self._staged:
                    self.give_back(group, dict(rows))
            case Result(name, value):
                self._file.set_result(name, value)
            case Mark(passed):
                self._file.secure()
                passed.set_result(None)
            case End(status, message):
                self._file.finish(status, message)

    def _fail(self, entry: Entry, cause: Exception) -> None:
        what = f"{entry.group} of step {entry.step}" if isinstance(entry, Record) else "a result"
        what = {End: "the end", Mark: "what was recorded so far"}.get(type(entry), what)
        self._file.abandon()
        error = RecordingError(
            f"{self._path}: recording stopped, {what} could not be written: {reason(cause)}. "
            "The file holds every record confirmed before and opens as usual. "
            "Make room or choose another place, then run again"
        )
        error.__cause__ = cause
        with self._changed:
            self._error = error
            for waiting in (entry, *self._pending):
                if isinstance(waiting, Mark):
                    waiting.passed.set_exception(error)
            self._pending.clear()
            self._changed.notify_all()


def _allocate(recordable: Recordable) -> Buffer:
    """Arrays for one record, touched now: page faults would cost training more than the copies."""
    return {field.path: np.full(field.shape, 0, staging_dtype(field.precision)) for field in recordable.fields}
