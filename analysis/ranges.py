"""Where the rows of a dataset stand in their file: the pieces in which weights are streamed."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import h5py
import numpy as np

from . import guard
from .errors import Damage

PIECE_VALUES = 1 << 17  # two pieces of float32 just stay in a core's second-level cache
MOST_PIECES = 1 << 20

Pieces = tuple[tuple[int, int], ...]  # (start, stop) of each, in the flattened row


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """The rows of one dataset as byte ranges of the file, or through HDF5 where there is no such range.

    Chunks without filters are ranges of the file as they stand: read with `pread`, they come at the speed of
    the file itself, several times that of HDF5's own selections. Filtered chunks, and those cut otherwise than
    the recorder cuts, come through HDF5, in slabs along the first axis of a row.
    """

    dataset: h5py.Dataset
    dtype: np.dtype
    pieces: Pieces
    offsets: list[list[int]] | None  # [row][piece], bytes from the start of the file; None: through HDF5

    @classmethod
    def of(cls, dataset: h5py.Dataset, rows: int) -> "Ranges":
        """The first `rows` rows. Damage where the file does not hold them whole."""
        guard.check_stored(dataset, rows)
        shape, chunk, dtype = dataset.shape, dataset.chunks, dataset.dtype
        plain = chunk and not dataset.id.get_create_plist().get_nfilters() and not dataset.file.userblock_size
        runs = _runs(chunk, shape[1:]) if plain else None
        if runs is None:
            return cls(dataset=dataset, dtype=dtype, pieces=_slabs(shape[1:]), offsets=None)
        cuts = [(run, at) for run, (start, stop) in enumerate(runs) for at in range(start, stop, PIECE_VALUES)]
        pieces = tuple((at, min(at + PIECE_VALUES, runs[run][1])) for run, at in cuts)
        within = np.array([(at - runs[run][0]) * dtype.itemsize for run, at in cuts])
        starts = _chunk_offsets(dataset, rows)[:, [run for run, _ in cuts]]
        return cls(dataset=dataset, dtype=dtype, pieces=pieces, offsets=(starts + within).tolist())

    @property
    def through_hdf5(self) -> "Ranges":
        """The same rows in pieces that depend on the shape alone: for arrays cut differently, to be read in step."""
        return replace(self, pieces=_slabs(self.dataset.shape[1:]), offsets=None)

    @property
    def descriptor(self) -> int:
        """The file descriptor that HDF5 holds."""
        return int(self.dataset.file.id.get_vfd_handle())

    @cached_property
    def row_bytes(self) -> int:
        return math.prod(self.dataset.shape[1:]) * self.dtype.itemsize

    @cached_property
    def piece_bytes(self) -> int:
        return max(stop - start for start, stop in self.pieces) * self.dtype.itemsize

    def announce(self, descriptor: int, row: int) -> None:
        """Tells the kernel that a row will be read soon, where it takes such advice."""
        if self.offsets is None or not hasattr(os, "posix_fadvise"):
            return
        first, last = self.offsets[row][0], self.offsets[row][-1]
        if 0 <= last - first <= self.row_bytes:  # the chunks of one row mostly follow each other
            os.posix_fadvise(descriptor, first, self.row_bytes, os.POSIX_FADV_WILLNEED)

    def read(self, descriptor: int, row: int, piece: int, buffer: np.ndarray) -> np.ndarray:
        """One piece of one row, flat and as stored, in `buffer` (bytes)."""
        start, stop = self.pieces[piece]
        into = buffer[: (stop - start) * self.dtype.itemsize]
        if self.offsets is None:
            values = into.view(self.dtype)
            shape = self.dataset.shape[1:]
            inner = math.prod(shape[1:])
            first, last = start // inner, stop // inner
            self.dataset.read_direct(values.reshape(last - first, *shape[1:]), np.s_[row, first:last])
            return values
        if os.preadv(descriptor, [into.data], self.offsets[row][piece]) != len(into):
            raise Damage(f"the file ends in the midst of row {row}")
        return into.view(self.dtype)


def _slabs(shape: Sequence[int]) -> Pieces:
    """Pieces of about PIECE_VALUES along the first axis."""
    inner = math.prod(shape[1:])
    step = max(1, PIECE_VALUES // inner)
    return tuple((first * inner, min(first + step, shape[0]) * inner) for first in range(0, shape[0], step))


def _runs(chunk: Sequence[int], shape: Sequence[int]) -> Pieces | None:
    """The chunks of one row as runs of the flattened row; None where they are none.

    They are where the axes before the cut one have chunks of 1, and those behind are whole. A last chunk reaches
    beyond the row; what belongs to the row stands at its beginning.
    """
    depth, *sizes = chunk
    cut = next((axis for axis, size in enumerate(sizes) if size > 1), len(sizes) - 1)
    outer, inner, along = math.prod(shape[:cut]), math.prod(shape[cut + 1 :]), shape[cut]
    if depth != 1 or sizes[cut + 1 :] != list(shape[cut + 1 :]) or outer * -(-along // sizes[cut]) > MOST_PIECES:
        return None
    return tuple(
        (inner * (number * along + first), inner * (number * along + min(first + sizes[cut], along)))
        for number in range(outer)
        for first in range(0, along, sizes[cut])
    )


def _chunk_offsets(dataset: h5py.Dataset, rows: int) -> np.ndarray:
    """Byte offsets [row, chunk] in the file, in one walk through the dataset's chunk index."""
    found: list[tuple[int, ...]] = []
    dataset.id.chunk_iter(lambda chunk: found.append((*chunk.chunk_offset, chunk.byte_offset, chunk.size)))
    table = np.array(found, dtype=np.int64).reshape(len(found), dataset.ndim + 2)
    table = table[table[:, 0] < rows]
    grid = [-(-size // chunk) for size, chunk in zip(dataset.shape[1:], dataset.chunks[1:], strict=True)]
    places = table[:, 1:-2] // dataset.chunks[1:]
    if (places >= grid).any() or (table[:, :-2] < 0).any():
        raise Damage("its chunks must lie within its shape")
    offsets = np.full((rows, math.prod(grid)), -1, dtype=np.int64)
    offsets[table[:, 0], np.ravel_multi_index(tuple(places.T), grid) if len(table) else []] = table[:, -2]
    missing = np.argwhere(offsets < 0)
    if len(missing):
        raise Damage(f"must hold the {rows} confirmed rows whole (got a gap in row {missing[0][0]})")
    whole = math.prod(dataset.chunks) * dataset.dtype.itemsize
    end = os.fstat(int(dataset.file.id.get_vfd_handle())).st_size
    if (table[:, -1] != whole).any() or (offsets > end - whole).any():
        raise Damage("its chunks must be whole and within the file")
    return offsets
