"""Appending records to a run's file so that it can be read at any instant, a kill included.

The order of effects of one record, each step complete before the next:
1. every dataset grows by the record's rows and receives its data; the index rows (`step`) hold -1;
2. blocks are allocated up to the file's logical end, so that neither a full disk nor a kill parts the two;
3. flush: the data and the metadata that leads to it are in the file;
4. the index rows receive their steps, a single write in place;
5. flush.
A record whose index row is -1 or missing was never written; the next one takes its place.
"""

import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from .layout import UNCONFIRMED

Columns = Mapping[h5py.Dataset, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class SnapshotRecord:
    """One row of /synapses and /signals; weights in the precision of their datasets."""

    step: int
    epoch: float
    weights: Mapping[str, np.ndarray]
    delta_angles: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class MetricsRecord:
    """One row of /metrics; NaN where `values` lacks a column."""

    step: int
    epoch: float
    values: Mapping[str, float]


class RunFile:
    """An open recording. Not thread-safe: one thread owns it from opening to closing."""

    def __init__(self, path: Path):
        # No chunk cache: chunks go to the file as they come, in the order above; none is held in memory.
        self._file = h5py.File(path, "r+", rdcc_nbytes=0, locking="best-effort")
        self._path = path
        self._secured = self._file.id.get_filesize()
        synapses, signals, metrics = (self._file[name] for name in ("synapses", "signals", "metrics"))
        self._weights = {name: item["weights"] for name, item in synapses.items() if isinstance(item, h5py.Group)}
        self._angles = {name: item["delta_angle"] for name, item in signals.items() if isinstance(item, h5py.Group)}
        self._metrics = {name: item for name, item in metrics.items() if name not in ("step", "epoch")}

    @property
    def snapshots(self) -> int:
        """How many snapshots are confirmed."""
        return _confirmed(self._file["synapses/step"])

    def append_snapshot(self, record: SnapshotRecord) -> None:
        """Writes one complete snapshot; on return it is confirmed."""
        columns = {self._weights[name]: array[np.newaxis] for name, array in record.weights.items()}
        for name, dataset in self._angles.items():
            columns[dataset] = np.array([record.delta_angles.get(name, np.nan)])
        self._append(self._file["synapses"], [record.step], [record.epoch], columns)

    def append_metrics(self, records: Sequence[MetricsRecord]) -> None:
        """Writes a block of rows at the price of one."""
        columns = {
            dataset: np.array([record.values.get(name, np.nan) for record in records])
            for name, dataset in self._metrics.items()
        }
        steps, epochs = [record.step for record in records], [record.epoch for record in records]
        self._append(self._file["metrics"], steps, epochs, columns)

    def set_result(self, name: str, value: float | int | str) -> None:
        """One final figure of the run, an attribute of /results."""
        self._file["results"].attrs[name] = value
        self._flush()

    def finish(self, status: str, message: str) -> None:
        """Says how the run ended, and closes the file, on the disk itself."""
        self._file.attrs.modify("status", status)
        self._file.attrs.modify("message", message)
        self._flush()
        self._file.close()
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

    def _append(self, group: h5py.Group, steps: Sequence[int], epochs: Sequence[float], columns: Columns) -> None:
        index = group["step"]
        start = _confirmed(index)
        rows = slice(start, start + len(steps))
        unconfirmed = np.full(len(steps), UNCONFIRMED)
        for dataset, values in {**columns, group["epoch"]: np.asarray(epochs), index: unconfirmed}.items():
            dataset.resize(rows.stop, axis=0)
            dataset[rows] = values
        self._flush()
        index[rows] = np.asarray(steps)
        self._file.flush()

    def _flush(self) -> None:
        """Flushes what the disk has room for: blocks first, so that the flush cannot run out of them."""
        size = self._file.id.get_filesize()
        if size > self._secured and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._file.id.get_vfd_handle(), self._secured, size - self._secured)
            except OSError as error:
                if error.errno not in (
                    errno.EOPNOTSUPP,
                    errno.EINVAL,
                ):  # file systems that cannot allocate ahead
                    raise
            self._secured = size
        self._file.flush()


def _confirmed(index: h5py.Dataset) -> int:
    """The number of leading index rows that hold a step."""
    unconfirmed = np.flatnonzero(index[:] == UNCONFIRMED)
    return int(unconfirmed[0]) if unconfirmed.size else len(index)
