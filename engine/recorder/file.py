"""Appending records to a run's file so that it can be read at any instant, a kill included.

The order of effects of one record, each step complete before the next:
1. every dataset of its group grows by the record's row and receives its data; the index row (`step`) holds -1;
2. blocks are allocated up to the file's logical end, so that neither a full disk nor a kill parts the two;
3. flush: the data and the metadata that leads to it are in the file;
4. the index row receives its step, a single write in place;
5. flush.
A record whose index row is -1 or missing was never written; the next one takes its place.
"""

import errno
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .datasets import UNCONFIRMED
from .errors import RecordingError, reason
from .precision import stored
from .recordable import Recordable

UNABLE_TO_ALLOCATE = (errno.EOPNOTSUPP, errno.EINVAL)  # what file systems say that cannot allocate ahead


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row of a group: a value for each of its fields, by path."""

    group: str
    step: int
    epoch: float
    rows: Mapping[str, Any]


class RunFile:
    """An open recording. Not thread-safe: one thread at a time, from opening to closing."""

    def __init__(self, path: Path, recordables: Iterable[Recordable]):
        # No chunk cache: chunks go to the file as they come, in the order above; none is held in memory.
        try:
            self._file = h5py.File(path, "r+", rdcc_nbytes=0, locking="best-effort")
        except OSError as error:
            raise RecordingError(f"{path}: the recording cannot be opened for writing: {reason(error)}") from error
        self._path = path
        self._secured = self._file.id.get_filesize()
        self._fields = {
            recordable.group: {field.path: field for field in recordable.fields} for recordable in recordables
        }
        self._datasets = {
            group: {path: self._file[group][path] for path in fields} for group, fields in self._fields.items()
        }
        self._rows = {group: len(confirmed(self._file[group]["step"])) for group in self._fields}

    def last_instant(self, group: str) -> tuple[int, float] | None:
        """Step and epoch of a group's last confirmed record."""
        rows, coordinates = self._rows[group], self._file[group]
        return (int(coordinates["step"][rows - 1]), float(coordinates["epoch"][rows - 1])) if rows else None

    def append(self, records: Sequence[Record]) -> None:
        """Writes records of one group, a block of rows at the price of one; on return they are confirmed."""
        group = records[0].group
        for path, field in self._fields[group].items():
            values = [record.rows[path] for record in records]
            block = np.reshape(values[0] if len(values) == 1 else values, (len(values), *field.shape))
            self._write_rows(group, self._datasets[group][path], stored(block, field.precision))
        self._confirm(group, records)

    def set_result(self, name: str, value: float | int | str) -> None:
        """One final figure of the run, an attribute of /results."""
        self._file["results"].attrs[name] = value
        self._flush()

    def cut_back(self, step: int | None) -> None:
        """Takes the run up again: records of later steps are taken back, `status` is `running`."""
        for group in self._fields:
            index = self._file[group]["step"]
            steps = index[: self._rows[group]]
            kept = len(steps) if step is None else int(np.count_nonzero(steps <= step))
            index[kept:] = UNCONFIRMED
            self._rows[group] = kept
        self._file.flush()  # taken back before anything is overwritten
        for group, rows in self._rows.items():
            for dataset in (*self._datasets[group].values(), self._file[group]["epoch"], self._file[group]["step"]):
                dataset.resize(rows, axis=0)
        self._file.attrs.modify("resumptions", np.int64(int(self._file.attrs["resumptions"]) + 1))
        self._file.attrs.modify("status", "running")
        self._file.attrs.modify("message", "")
        self._flush()

    def secure(self) -> None:
        """On return everything so far is on the disk itself."""
        self._flush()
        self._synchronise()

    def finish(self, status: str, message: str) -> None:
        """Says how the run ended, and closes the file, on the disk itself."""
        self._file.attrs.modify("status", status)
        self._file.attrs.modify("message", message)
        self._flush()
        self._file.close()
        self._synchronise()

    def _synchronise(self) -> None:
        with open(self._path, "rb") as file:
            os.fsync(file.fileno())

    def abandon(self) -> None:
        """Lets go of the file after a failed write and leaves it as the last flush did.

        HDF5 has no closing without writing back its caches, which after a failure hold half a record. So its
        file descriptor is turned to a temporary file, which takes what is left.
        """
        with suppress(Exception), tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), self._file.id.get_vfd_handle())
            self._file.close()

    def _write_rows(self, group: str, dataset: h5py.Dataset, block: np.ndarray) -> None:
        start = self._rows[group]
        dataset.resize(start + len(block), axis=0)
        dataset[start:] = block

    def _confirm(self, group: str, records: Sequence[Record]) -> None:
        """Everything but the index is written: see it onto the disk, then let the index say so."""
        index, start = self._file[group]["step"], self._rows[group]
        self._write_rows(group, self._file[group]["epoch"], np.array([record.epoch for record in records]))
        self._write_rows(group, index, np.full(len(records), UNCONFIRMED))
        self._flush()
        index[start:] = np.array([record.step for record in records])
        self._file.flush()
        self._rows[group] = start + len(records)

    def _flush(self) -> None:
        """Flushes what the disk has room for: blocks first, so that the flush cannot run out of them."""
        size = self._file.id.get_filesize()
        if size > self._secured and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._file.id.get_vfd_handle(), self._secured, size - self._secured)
            except OSError as error:
                if error.errno not in UNABLE_TO_ALLOCATE:
                    raise
            self._secured = size
        self._file.flush()


def confirmed(index: h5py.Dataset) -> np.ndarray:
    """The leading steps of an index; -1 marks a record that was not complete."""
    steps: np.ndarray = index[:]
    unconfirmed = np.flatnonzero(steps == UNCONFIRMED)
    return steps[: unconfirmed[0]] if unconfirmed.size else steps
