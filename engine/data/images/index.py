"""Which files a split has: names and labels as arrays in a file, mapped into memory, however many there are."""

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..dataset import DataError
from . import stacked

FORMAT = 1
SETTLED = 2_000_000_000  # ns; a folder that changed so lately may change again within one tick of its clock
KEPT = 7 * 24 * 3600  # s; indices not used for so long are removed when another is written
CACHE = "COUNTERSTREAM_CACHE"


@dataclass(frozen=True, eq=False)
class Index:
    """Files below `root`, in order. Processes hand it on as the name of a file, which none changes."""

    file: Path
    root: Path
    labels: NDArray[np.int32]
    names: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def open(cls, file: Path, root: Path) -> "Index":
        """Map an index, and so keep it from being removed. Raises OSError, stacked.NotStacked."""
        arrays = stacked.opened(file).arrays
        with suppress(OSError):
            os.utime(file)
        return cls(file, root, arrays["labels"], arrays["names"], arrays["offsets"])

    def __reduce__(self) -> tuple[object, ...]:
        return Index.open, (self.file, self.root)

    def __len__(self) -> int:
        return len(self.labels)

    def name(self, position: int) -> str:
        """The file's path below `root`."""
        start, end = self.offsets[position : position + 2]
        return os.fsdecode(self.names[start:end].tobytes())

    def path(self, position: int) -> Path:
        return self.root / self.name(position)


Listing = Callable[[], Iterable[tuple[int, Sequence[str]]]]
"""Gives (label, names below the root) again and again, in order."""


def indexed(root: Path, folders: Iterable[tuple[str, int]], listing: Listing) -> Index:
    """The index of what `listing` gives, from the cache if it was made of the same `folders`: (name, time of change in
    ns) of all that it depends on.

    A folder's time changes with the names in it, so looking at the folders tells whether any file came or went, and no
    file is looked at. Raises DataError where no index can be written, and what `listing` raises.
    """
    known = sorted(folders)
    place = hashlib.sha256(f"{FORMAT}\0{root}".encode(errors="surrogateescape")).hexdigest()[:16]
    state = hashlib.sha256(repr(known).encode()).hexdigest()[:16]
    file = cache() / f"{place}-{state}.index"
    try:
        return Index.open(file, root)
    except (OSError, stacked.NotStacked, KeyError):
        pass
    if max((changed for _, changed in known), default=0) > time.time_ns() - SETTLED:
        file = file.with_stem(f"{file.stem}-{uuid.uuid4().hex[:8]}")  # for this process and its own only
    try:
        _write(file, listing())
        _sweep(file.parent)
        return Index.open(file, root)
    except OSError as error:
        raise DataError(
            f"{file}: the index of {root} must be written ({error}). Set {CACHE} to another folder"
        ) from None


def cache() -> Path:
    """The folder for indices: $COUNTERSTREAM_CACHE, else the user's cache, else a temporary one."""
    base = os.environ.get(CACHE)
    if base is None:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "counterstream")
    folder = Path(base) / "indices"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = Path(tempfile.gettempdir()) / f"counterstream-{os.getuid() if hasattr(os, 'getuid') else 'indices'}"
    folder.mkdir(exist_ok=True)
    return folder


def _write(file: Path, listed: Iterable[tuple[int, Sequence[str]]]) -> None:
    names, lengths, labels = bytearray(), [], []
    for label, some in listed:
        encoded = [os.fsencode(name) for name in some]
        names += b"".join(encoded)
        lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        labels.append(np.full(len(encoded), label, np.int32))
    offsets = np.concatenate([np.zeros(1, np.int64), *lengths]).cumsum()
    whole = {
        "labels": np.concatenate([np.zeros(0, np.int32), *labels]),
        "offsets": offsets,
        "names": np.frombuffer(names, np.uint8),
    }
    stacked.write(file, whole, {"format": FORMAT})


def _sweep(folder: Path) -> None:
    """Remove what was not used for long."""
    for old in list(folder.glob("*.index*")):
        try:
            if time.time() - old.stat().st_mtime > KEPT:
                old.unlink()
        except OSError:
            continue
