"""Chunks behind filters, unpacked one by one: HDF5 tells what is wrong with them when they are read, or not at all.

gzip is unpacked here, so that a chunk may not grow beyond its size. lzf has no checksum: its steps are followed and
must give a chunk's size exactly, which overwritten bytes as good as never do. Other filters run in HDF5.
"""

import math
import zlib
from collections.abc import Iterator

import h5py
import numpy as np

from ..errors import Damage

GZIP, LZF = 1, 32000
ALLOWANCE = 1 << 16  # bytes by which a filter may make a chunk larger
Chunk = tuple[tuple[int, ...], int, int]  # offsets, filters that were left out, stored bytes


def check_compressed(dataset: h5py.Dataset, rows: int | None = None) -> None:
    """Damage unless every chunk (of the first `rows` rows) is there and gives its values. One chunk in memory."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    for place, left_out, stored in _chunks(dataset, rows):
        if stored > size + ALLOWANCE:
            raise Damage(f"the chunk at {place} must hold at most {size} bytes (got {stored})")
        if filters[-1] not in (GZIP, LZF):
            _through_hdf5(dataset, place)
        elif not left_out >> (len(filters) - 1) & 1:  # a filter that gains nothing is left out
            unpacked = _gzip if filters[-1] == GZIP else _lzf
            if len(filters) - filters.count(2) == 1:  # beside byte shuffle, which keeps the size
                _same(unpacked(dataset.id.read_direct_chunk(place)[1], size), size, place)
            else:
                _through_hdf5(dataset, place)


def values(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """What the chunks of a dataset hold, one by one."""
    for place, _, _ in _chunks(dataset, None):
        yield dataset[_window(dataset, place)]


def _chunks(dataset: h5py.Dataset, rows: int | None) -> list[Chunk]:
    """The chunks that hold the rows; Damage where one is missing."""
    found: list[Chunk] = []
    dataset.id.chunk_iter(lambda chunk: found.append((tuple(chunk.chunk_offset), chunk.filter_mask, chunk.size)))
    shape = dataset.shape if rows is None else (rows, *dataset.shape[1:])
    within = [one for one in found if all(at < size for at, size in zip(one[0], shape, strict=True))]
    wanted = math.prod(-(-size // chunk) for size, chunk in zip(shape, dataset.chunks, strict=True))
    if len({place for place, _, _ in within}) < wanted:
        raise Damage(f"must hold its rows whole (got {len(within)} of {wanted} chunks)")
    return within


def _same(got: int, size: int, place: tuple[int, ...]) -> None:
    if got != size:
        raise Damage(f"the chunk at {place} must unpack to {size} bytes (got {'more' if got > size else got})")


def _gzip(packed: bytes, size: int) -> int:
    """How many bytes a gzip chunk holds, counted to one beyond its size."""
    stream = zlib.decompressobj()
    try:
        held = len(stream.decompress(packed, size + 1))
    except zlib.error as error:
        raise Damage(f"its gzip chunks must unpack (got {error})") from None
    if held == size and not stream.eof:
        raise Damage("its gzip chunks must end as gzip does (got none of its checksum)")
    return held


def _lzf(packed: bytes, size: int) -> int:
    """How many bytes an lzf chunk holds: literal runs of 1 to 32 bytes, and copies of what came before."""
    at = made = 0
    end = len(packed)
    try:
        while at < end:
            control = packed[at]
            at += 1
            if control < 32:
                made += control + 1
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            back = ((control & 31) << 8 | packed[at]) + 1
            at += 1
            if back > made:
                raise Damage("its lzf chunks must copy what they hold (got a copy from before the beginning)")
            made += length + 2
    except IndexError:
        at = end + 1
    if at > end:
        raise Damage("its lzf chunks must be whole (got one that ends within a run)")
    return made


def _through_hdf5(dataset: h5py.Dataset, place: tuple[int, ...]) -> None:
    dataset[_window(dataset, place)]


def _window(dataset: h5py.Dataset, place: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(at, at + size) for at, size in zip(place, dataset.chunks, strict=True))
