"""Several arrays in one file, one .npy after the other, mapped into memory rather than read.

The last is a JSON text (as bytes) whose `arrays` names those before it, in order. So a file of a million samples opens
at once, all processes share the same pages of it, and NumPy alone reads it: `numpy.load`, again and again, on one open
file.
"""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

ALIGNED = 64
VERSION = b"\x93NUMPY\x01\x00"


class NotStacked(Exception):
    """What is no such file, or not all of one."""


@dataclass(frozen=True, eq=False)
class Stack:
    """The arrays of a file by name, and the rest of its JSON."""

    arrays: Mapping[str, NDArray[Any]]
    notes: Mapping[str, Any]


def header(array: NDArray[Any], position: int, length: int | None = None) -> bytes:
    """The .npy header of an array, or of one of that type and shape, for `position` in a file.

    It ends where the array's first byte is aligned in the file, or after `length` bytes.
    """
    described = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    text = repr(described).encode("latin1")
    least = len(VERSION) + 2 + len(text) + 1
    whole = length or -(-(position + least) // ALIGNED) * ALIGNED - position
    return VERSION + (whole - len(VERSION) - 2).to_bytes(2, "little") + text.ljust(whole - len(VERSION) - 3) + b"\n"


def append(
    file: BinaryIO, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any], before: tuple[str, ...] = ()
) -> None:
    """Write `arrays` and `notes` behind what the file holds, which are arrays of the names `before`."""
    text = json.dumps({**notes, "arrays": [*before, *arrays]}, indent=1).encode()
    for array in (*arrays.values(), np.frombuffer(text, np.uint8)):
        file.write(header(array, file.tell()))
        file.write(np.ascontiguousarray(array).data)


def write(path: Path, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")  # the folder may be shared by machines
    try:
        with part.open("wb") as file:
            append(file, arrays, notes)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def opened(path: Path) -> Stack:
    """Map a file. Raises OSError, and NotStacked for what `append` did not write to its end."""
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        found = []
        while file.tell() < end:
            found.append(_mapped(file, end))
    try:
        notes = json.loads(bytes(found.pop()))
        return Stack(dict(zip(notes.pop("arrays"), found, strict=True)), notes)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotStacked("its end is missing") from error


def _mapped(file: BinaryIO, end: int) -> NDArray[Any]:
    """The array that begins here, mapped; the file is left behind it."""
    try:
        if npy.read_magic(file) != (1, 0):
            raise NotStacked("it has arrays of another version")
        shape, _, dtype = npy.read_array_header_1_0(file)
    except (ValueError, EOFError) as error:
        raise NotStacked("it is no file of arrays") from error
    start, size = file.tell(), int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if dtype.hasobject or start + size > end:
        raise NotStacked("its end is missing")
    array = np.asarray(np.memmap(file, dtype, "r", start, shape)) if size else np.zeros(shape, dtype)
    file.seek(start + size)  # memmap leaves it anywhere
    return array
