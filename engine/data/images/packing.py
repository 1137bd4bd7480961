"""Packing a folder of images into one file, by several processes, gone on with where it was interrupted."""

import io
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..dataset import DataError
from ..parallel import in_order
from . import stacked
from .decoding import BadImage, Encoded, Size
from .index import Index
from .layout import SPLITS, Layout
from .packed import FORMAT
from .source import Policy

CHUNK = 32  # images of one task
HEADER = 128  # bytes kept for the header of `data`, whose length is known at the end
ROW = np.dtype([("length", "<i8"), ("checksum", "<u4"), ("width", "<i4"), ("height", "<i4")])
"""What is noted of each image once it is written. One that was left out has length 0."""


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How images are packed: the shorter side of larger ones is shrunk to `side`, and they become JPEGs of `quality`
    or plain bytes (`raw`). A JPEG that is no larger is taken as it is, unless it must be turned or converted.
    """

    side: int = 256
    quality: int = 90
    raw: bool = False

    @property
    def kind(self) -> str:
        return "raw" if self.raw else "jpeg"

    def packed(self, data: bytes) -> tuple[bytes, Size]:
        """An image file as it is packed. Raises BadImage."""
        image = Encoded(data)
        width, height = image.size
        scale = min(1.0, self.side / min(width, height))
        pixels = image.pixels((int(2 * scale * width) + 1, int(2 * scale * height) + 1))
        if scale == 1 and image.plain and not self.raw:
            return data, image.size
        size = max(self.side, round(width * scale)), max(self.side, round(height * scale))
        if scale < 1:
            pixels = pixels.resize(size, Image.Resampling.BICUBIC)
        if self.raw:
            return pixels.tobytes(), pixels.size
        file = io.BytesIO()
        pixels.save(file, "JPEG", quality=self.quality)
        return file.getvalue(), pixels.size


@dataclass(frozen=True)
class Report:
    """What was packed: images, bytes, and the files that were left out, with the reason."""

    images: int
    bytes: int
    left_out: dict[str, str]


class _One(NamedTuple):
    """A packed image, or why there is none."""

    data: bytes
    size: Size = (0, 0)
    reason: str = ""


def pack(
    root: Path,
    output: Path,
    packing: Packing,
    *,
    policy: Policy = "error",
    truth: Path | None = None,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Write `output` from a folder in ImageNet's layout, whole or not at all. What was begun lies beside it as .part.

    The same folder and settings give the same bytes, whatever the number of workers. `progress` hears how many images
    were dealt with since it last did. Raises DataError for a folder that is none, for a bad file unless those are
    skipped, and where the output cannot be written or is there already.
    """
    layout = Layout(root)
    files = _Files(layout.train(), layout.val(truth))
    if output.exists():
        raise DataError(f"{output}: must be a new file (it is there). Remove it, or give another name")
    try:
        begun = _Begun(output, _plan(layout, files, packing))
        progress(len(begun))
        tasks = (range(first, min(first + CHUNK, len(files))) for first in range(len(begun), len(files), CHUNK))
        with begun:
            for images in in_order(partial(_chunk, files, packing), tasks, workers):
                begun.append(_permitted(images, files, len(begun), policy))
                progress(len(images))
        return _finish(begun, output, layout, files, packing)
    except OSError as error:
        raise DataError(
            f"{output}: the packed file must be written ({error.strerror or error}). What was written is kept: run the "
            "command again to go on"
        ) from None


@dataclass(frozen=True)
class _Files:
    """All files in the order in which they are packed: those to train on, then those to validate on."""

    train: Index
    val: Index

    def __len__(self) -> int:
        return len(self.train) + len(self.val)

    def _found(self, place: int) -> tuple[str, Index, int]:
        border = len(self.train)
        return (SPLITS[0], self.train, place) if place < border else (SPLITS[1], self.val, place - border)

    def path(self, place: int) -> Path:
        _, index, position = self._found(place)
        return index.path(position)

    def name(self, place: int) -> str:
        split, index, position = self._found(place)
        return f"{split}/{index.name(position)}"


def _plan(layout: Layout, files: _Files, packing: Packing) -> dict[str, object]:
    """What the bytes depend on."""
    arrays = [array for index in (files.train, files.val) for array in (index.names, index.offsets, index.labels)]
    classes = zlib.crc32("\n".join(layout.classes).encode(errors="surrogateescape"))
    return {
        "format": FORMAT,
        **asdict(packing),
        "classes": classes,
        "files": [zlib.crc32(array.data) for array in arrays],
    }


def _chunk(files: _Files, packing: Packing, places: range) -> list[_One]:
    return [_one(files.path(place), packing) for place in places]


def _one(path: Path, packing: Packing) -> _One:
    try:
        return _One(*packing.packed(path.read_bytes()))
    except BadImage as error:
        return _One(b"", reason=str(error))
    except OSError as error:
        return _One(b"", reason=f"it cannot be read ({error.strerror or error})")


def _permitted(images: list[_One], files: _Files, first: int, policy: Policy) -> list[_One]:
    bad = next((place for place, image in enumerate(images) if image.reason), None)
    if bad is None or policy == "skip":
        return images
    raise DataError(
        f"{files.path(first + bad)}: must be an image that can be decoded ({images[bad].reason}). Mend or remove it, "
        "or leave such files out with --corrupt skip. What was packed is kept"
    )


class _Begun:
    """A file that is being written. OUTPUT.part holds bytes of images; OUTPUT.part.rows a line that says of which
    plan, then a ROW for each image. A row follows its image, so of what a killed process left, as much counts as both
    tell.
    """

    def __init__(self, output: Path, plan: dict[str, object]) -> None:
        self.part = output.with_name(f"{output.name}.part")
        self.rows_file = output.with_name(f"{output.name}.part.rows")
        self._line = json.dumps(plan).encode() + b"\n"
        known = self.rows_file.read_bytes() if self.rows_file.exists() else b""
        if len(known) < len(self._line) and self._line.startswith(known):  # new, or ended before it had begun
            self.rows_file.write_bytes(self._line)
            self.part.write_bytes(bytes(HEADER))
            known = self._line
        if not known.startswith(self._line):
            raise DataError(
                f"{self.part}: was begun with other settings, or another folder. Give the same again, or remove "
                f"{self.part.name} and {self.rows_file.name}"
            )
        rows = np.frombuffer(known[len(self._line) :], ROW, (len(known) - len(self._line)) // ROW.itemsize)
        if not self.part.exists():  # ended between the two files, or removed
            self.part.write_bytes(bytes(HEADER))
        there = self.part.stat().st_size - HEADER
        self._count = int(np.searchsorted(rows["length"].cumsum(), there, side="right"))
        self.length = int(rows["length"][: self._count].sum())

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> None:
        self._data, self._rows = self.part.open("r+b"), self.rows_file.open("r+b")
        self._data.truncate(HEADER + self.length)
        self._rows.truncate(len(self._line) + self._count * ROW.itemsize)
        for file in (self._data, self._rows):
            file.seek(0, os.SEEK_END)

    def __exit__(self, *_: object) -> None:
        self._data.close()
        self._rows.close()

    def append(self, images: list[_One]) -> None:
        rows = np.array([(len(one.data), zlib.crc32(one.data), *one.size) for one in images], ROW)
        for file, content in ((self._data, b"".join(one.data for one in images)), (self._rows, rows.tobytes())):
            file.write(content)
            file.flush()
        self._count += len(images)
        self.length += int(rows["length"].sum())

    def rows(self) -> NDArray[np.void]:
        return np.fromfile(self.rows_file, ROW, offset=len(self._line))


def _finish(begun: _Begun, output: Path, layout: Layout, files: _Files, packing: Packing) -> Report:
    """Write what comes after the images, then the header before them, and give the file its name."""
    rows = begun.rows()
    kept, bad = np.flatnonzero(rows["length"]), np.flatnonzero(rows["length"] == 0).tolist()
    left_out = {files.name(place): _one(files.path(place), packing).reason for place in bad}
    border = int(np.searchsorted(kept, len(files.train)))
    if not 0 < border < len(kept):
        raise DataError(f"{layout.root}: train and val must each hold an image that can be decoded (got none)")
    notes = {
        "format": FORMAT,
        "kind": packing.kind,
        "side": packing.side,
        "quality": None if packing.raw else packing.quality,
        "splits": dict(zip(SPLITS, ([0, border], [border, len(kept)]), strict=True)),
        "left_out": left_out,
        "classes": layout.classes,
    }
    with begun.part.open("r+b") as file:
        file.write(stacked.header(np.broadcast_to(np.uint8(0), begun.length), 0, HEADER))
        file.seek(HEADER + begun.length)
        stacked.append(file, _described(rows, kept, files), notes, before=("data",))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    os.replace(begun.part, output)
    begun.rows_file.unlink()
    return Report(len(kept), output.stat().st_size, left_out)


def _described(rows: NDArray[np.void], kept: NDArray[np.intp], files: _Files) -> dict[str, NDArray[np.generic]]:
    """What is known of each image that was kept."""
    names = [*_names(files.train), *_names(files.val)]
    lengths = np.array([len(names[place]) for place in kept], np.int64)
    return {
        "offsets": np.concatenate([[0], rows["length"][kept].cumsum()]),
        "labels": np.concatenate([files.train.labels, files.val.labels])[kept],
        "checksums": rows["checksum"][kept],
        "sizes": np.stack([rows["width"][kept], rows["height"][kept]], axis=1),
        "name_offsets": np.concatenate([[0], lengths.cumsum()]),
        "names": np.frombuffer(b"".join(names[place] for place in kept), np.uint8),
    }


def _names(index: Index) -> Iterator[bytes]:
    whole = index.names.tobytes()
    for first, last in zip(index.offsets[:-1], index.offsets[1:], strict=True):
        yield whole[first:last]
