"""The file behind a run: opened with patience, read through the guard, every failure named with its place."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any, Self, TypeVar

import h5py
import numpy as np

from . import guard
from .errors import AnalysisError, Damage, DamagedRecording

OPENINGS = 6  # a file that is being written may be met half flushed, for some milliseconds
PAUSE = 0.02  # seconds between two of them

Result = TypeVar("Result")


class Store:
    """An open HDF5 file. Objects are addressed by their names from the root, one argument a component.

    1. Only hard links are followed, and no data outside the file are ever read (see guard.py).
    2. Whatever is wrong raises AnalysisError: `file: /place: what must hold (got X)`.
    3. One opening shows one state of a file that grows; `reopen` shows the next.
    """

    def __init__(self, path: Path, file: h5py.File):
        self.path = path
        self._file = file

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Opens an HDF5 file for reading, also one that another process writes."""
        return cls(Path(path), _open(Path(path)))

    def close(self) -> None:
        self._file.close()

    def reopen(self) -> None:
        """Closes the file and opens what now stands there."""
        self._file.close()
        self._file = _open(self.path)

    def has(self, *names: str) -> bool:
        """Whether the last name is a link of the group before it, of whatever kind."""
        *parents, last = names
        group = self.group(*parents)  # kept: its links live no longer than it does
        with self._named(*names):
            return bool(group.id.links.exists(last.encode("utf-8", "surrogateescape")))

    def group(self, *names: str) -> h5py.Group:
        item = self.item(*names)
        if not isinstance(item, h5py.Group):
            raise self.damaged("must be a group (got a dataset)", *names)
        return item

    def dataset(self, *names: str) -> h5py.Dataset:
        item = self.item(*names)
        if not isinstance(item, h5py.Dataset):
            raise self.damaged("must be a dataset (got a group)", *names)
        return item

    def groups(self, *names: str) -> list[str]:
        """The children that are groups. Other children are not opened."""
        return self._children(names, h5py.h5g.GROUP)

    def datasets(self, *names: str) -> list[str]:
        """The children that are datasets. Other children are not opened."""
        return self._children(names, h5py.h5g.DATASET)

    def attributes(self, *names: str) -> dict[str, Any]:
        """Attributes that are single numbers or texts; others, such as HDF5's own references, are left out."""
        item = self.item(*names)
        found = {}
        with self._named(*names):
            for name in guard.names(item.attrs):
                with suppress(Damage):
                    found[name] = guard.attribute(item, name)
        return found

    def text(self, *names: str) -> str:
        dataset = self.dataset(*names)
        with self._named(*names):
            return guard.text(dataset)

    def column(self, *names: str, rows: int | None = None, dtype: str = "<f8") -> np.ndarray:
        """The first `rows` values (all by default) of a one-dimensional dataset without filters."""
        dataset = self.dataset(*names)
        with self._named(*names):
            guard.check_type(dataset, dtype)
            if dataset.ndim != 1 or dataset.id.get_create_plist().get_nfilters():
                raise Damage(f"must be one column without filters (got {dataset.ndim} axes)")
            guard.check_stored(dataset, rows)
            values: np.ndarray = dataset[:rows]
        return values

    def index(self, *names: str) -> np.ndarray:
        """The confirmed rows of a group's `step`: the leading ones that are not -1."""
        dataset = self.dataset(*names)
        with self._named(*names):
            guard.check_type(dataset, "<i8")
            if dataset.ndim != 1 or not dataset.chunks:
                raise Damage(f"must be a chunked column (got shape {dataset.shape})")
            # A writer may have stretched the index without having written to it yet.
            stored = min(len(dataset), dataset.id.get_num_chunks() * dataset.chunks[0])
        steps = self.column(*names, rows=stored, dtype="<i8")
        unconfirmed = np.flatnonzero(steps < 0)
        return steps[: unconfirmed[0]] if unconfirmed.size else steps

    def named(self, read: Callable[[], Result], *names: str) -> Result:
        """Calls `read`; what HDF5 raises becomes an AnalysisError about the object of these names."""
        with self._named(*names):
            return read()

    def damaged(self, what: str, *names: str) -> DamagedRecording:
        """The error of an object that is not what the format says."""
        return DamagedRecording(self.path, "/" + "/".join(names), what)

    def item(self, *names: str) -> h5py.Group | h5py.Dataset:
        """The group or dataset of these names, once nothing on the way leads out of the file."""
        item: h5py.Group | h5py.Dataset = self._file
        for depth, name in enumerate(names, start=1):
            if not isinstance(item, h5py.Group):
                raise self.damaged("must be a group (got a dataset)", *names[: depth - 1])
            with self._named(*names[:depth]):
                item = guard.child(item, name)
        return item

    def _children(self, names: tuple[str, ...], kind: int) -> list[str]:
        group = self.group(*names)
        with self._named(*names):
            return [name for name in guard.names(group) if _kind(group, name) == kind]

    @contextmanager
    def _named(self, *names: str) -> Iterator[None]:
        try:
            yield
        except Damage as error:
            raise self.damaged(str(error), *names) from None
        except guard.DAMAGE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise self.damaged(f"cannot be read ({reason})", *names) from error


def _kind(group: h5py.Group, name: str) -> int | None:
    """HDF5's number for what a hard link leads to; None for links of other kinds."""
    encoded = name.encode("utf-8", "surrogateescape")
    if group.id.links.get_info(encoded).type != h5py.h5l.TYPE_HARD:
        return None
    return int(h5py.h5g.get_objinfo(group.id, encoded, False).type)


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        what = "a recording must be a file (got a folder or a device)" if path.exists() else "there is no such file"
        raise AnalysisError(f"{path}: {what}")
    try:
        recognized = h5py.is_hdf5(path)
    except OSError as error:
        raise AnalysisError(f"{path}: the file cannot be opened: {error}") from error
    if not recognized:
        raise AnalysisError(f"{path}: this is not an HDF5 file, so no recording of Counterstream")
    for opening in range(OPENINGS):
        try:
            # A writer in another process holds the lock; one in this process wants us to open as it did.
            return h5py.File(path, "r", locking="best-effort" if opening % 2 else False, rdcc_nbytes=0)
        except guard.DAMAGE as error:
            if opening == OPENINGS - 1:
                what = "truncated" if "truncated" in str(error) else "damaged"
                raise AnalysisError(
                    f"{path}: the file is {what} and cannot be opened; copy or record it again ({error})"
                ) from error
            time.sleep(PAUSE)
    raise AssertionError("unreachable")
