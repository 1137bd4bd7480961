"""A packed file: the images of a folder in one file, shrunk once to be read many times.

It is one of `stacked` arrays: `data`, all images one after the other; for each image `offsets` of its first byte (and
the end of the last), `labels`, `sizes` (width, height), `checksums` (CRC-32), and its name, `names` from `name_offsets`
on. The notes say what is in it: `kind` (jpeg: a file each; raw: RGB bytes, row by row), `classes`, `splits`.
"""

import os
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..dataset import DataError
from . import stacked
from .decoding import BadImage, Encoded, Size
from .source import Source
from .views import Opened

FORMAT = 1
KINDS = ("jpeg", "raw")


@dataclass(frozen=True, eq=False)
class PackedFile:
    """An opened file. Other processes map it themselves, and share its pages."""

    path: Path
    stack: stacked.Stack

    @classmethod
    def open(cls, path: Path) -> "PackedFile":
        """Raises DataError for a file that is not a whole packed one."""
        try:
            stack = stacked.opened(path)
        except OSError as error:
            raise DataError(f"{path}: the packed file must be readable ({error.strerror or error})") from None
        except stacked.NotStacked as error:
            raise DataError(f"{path}: must be a file that `counterstream data pack` finished ({error})") from None
        if stack.notes.get("format") != FORMAT or stack.notes.get("kind") not in KINDS:
            raise DataError(
                f"{path}: must be a packed file of format {FORMAT} (got {stack.notes.get('format', 'none')}). "
                "Pack it anew"
            )
        return cls(path, stack)

    def __reduce__(self) -> tuple[object, ...]:
        return PackedFile.open, (self.path,)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.stack.notes["classes"])

    def split(self, name: str) -> "Packed":
        """`train` or `val`."""
        return Packed(self, name, *self.stack.notes["splits"][name])

    def bytes_of(self, position: int) -> NDArray[np.uint8]:
        offsets = self.stack.arrays["offsets"]
        return self.stack.arrays["data"][offsets[position] : offsets[position + 1]]

    def name(self, position: int) -> str:
        first, last = self.stack.arrays["name_offsets"][position : position + 2]
        return os.fsdecode(self.stack.arrays["names"][first:last].tobytes())


@dataclass(frozen=True)
class Packed(Source):
    """The images of a split: those of a packed file from `first` to before `last`."""

    file: PackedFile
    split: str
    first: int
    last: int

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        labels: NDArray[Any] = self.file.stack.arrays["labels"]
        return labels[self.first : self.last]

    def name(self, position: int) -> str:
        return f"{self.file.path}: {self.split}/{self.short_name(position)}"

    def short_name(self, position: int) -> str:
        return self.file.name(self.first + position)

    def open(self, position: int) -> Opened:
        place = self.first + position
        data = self.file.bytes_of(place)
        if zlib.crc32(data.data) != self.file.stack.arrays["checksums"][place]:
            raise BadImage("its bytes are not those that were packed")
        if self.file.stack.notes["kind"] == "jpeg":
            return Encoded(data.data)
        width, height = map(int, self.file.stack.arrays["sizes"][place])
        return Raw(data, (width, height))


class Raw:
    """Pixels as they are."""

    def __init__(self, data: NDArray[np.uint8], size: Size) -> None:
        self.size = size
        self._data = data

    @property
    def kind(self) -> str:
        return "raw RGB"

    def verify(self) -> None:
        """Nothing: opening compared the checksum."""

    def pixels(self, least: Size | None = None) -> Image.Image:
        width, height = self.size
        return Image.fromarray(self._data.reshape(height, width, 3))
