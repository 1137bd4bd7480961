"""Reductions over recorded weights, however large the file: piece by piece, each summed while it is hot.

No threads: asked in time (`posix_fadvise`), the kernel reads the coming pieces from the disk while the last ones
are summed, and what the page cache holds comes faster than two threads of Python can hand it to each other.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from .ranges import Ranges

AHEAD = 1 << 24  # bytes that the kernel is asked for before they are needed


class Sums(Protocol):
    """What a task adds up.

    `add` gets equally long flat pieces, one a source, in order and in the stored precision (bfloat16 as
    float32). They are its own until it returns: it may write into them.
    """

    @property
    def add(self) -> Callable[..., None]: ...


Total = TypeVar("Total", bound=Sums)


@dataclass(frozen=True)
class Task(Generic[Total]):
    """Weights to be read in step with each other, (projection, row) each, and what sums them up."""

    sources: tuple[tuple[str, int], ...]
    total: Total


def stream(
    tasks: Iterable[Task[Total]], ranges: Mapping[str, Ranges], seen: Mapping[str, np.ndarray]
) -> Iterator[Task[Total]]:
    """Yields each task once its sums are complete, in the order given.

    Tasks in the order of rows read a file from its front to its end. ranges: of every projection of the tasks;
    the sources of one task have one shape. seen: flat masks of the projections with unseen taps, which are left
    out. Memory: one piece (1 MB at most, as the recorder cuts) of each source, whatever the file holds.
    """
    if not ranges:
        return
    # A descriptor of our own: the file may be closed, or opened anew, between two tasks.
    descriptor = os.dup(next(iter(ranges.values())).descriptor)
    buffers: dict[int, np.ndarray] = {}
    try:
        for task in _announced(tasks, ranges, descriptor):
            sources = [(ranges[name], row) for name, row in task.sources]
            mask = next((seen[name] for name, _ in task.sources if name in seen), None)
            for piece, (start, stop) in enumerate(sources[0][0].pieces):
                values = [
                    as_numbers(found.read(descriptor, row, piece, _buffer(buffers, number, found.piece_bytes)))
                    for number, (found, row) in enumerate(sources)
                ]
                if mask is not None:
                    values = [each[mask[start:stop]] for each in values]
                task.total.add(*values)
            yield task
    finally:
        os.close(descriptor)


def as_numbers(stored: np.ndarray) -> np.ndarray:
    """Stored values as floats: uint16 holds bfloat16, the upper half of a float32."""
    if stored.dtype == np.uint16:
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored


def _announced(tasks: Iterable[Task[Total]], ranges: Mapping[str, Ranges], descriptor: int) -> Iterator[Task[Total]]:
    """The tasks, each yielded once the kernel has been told of those that follow it within AHEAD bytes."""
    waiting: deque[tuple[Task[Total], int]] = deque()
    told = 0
    for task in tasks:
        for name, row in task.sources:
            ranges[name].announce(descriptor, row)
        size = sum(ranges[name].row_bytes for name, _ in task.sources)
        waiting.append((task, size))
        told += size
        while told > AHEAD and len(waiting) > 1:
            first, size = waiting.popleft()
            told -= size
            yield first
    yield from (task for task, _ in waiting)


def _buffer(buffers: dict[int, np.ndarray], number: int, size: int) -> np.ndarray:
    """Bytes for the source of this number; grown where a piece needs more."""
    if number not in buffers or len(buffers[number]) < size:
        buffers[number] = np.empty(size, dtype=np.uint8)
    return buffers[number]
