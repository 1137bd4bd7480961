"""Operations of several activities, and of shapes: sums, concatenations, views, slices."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ...circuits.wiring import OneToOne
from .cells import Afferent, Growth, Signal
from .layers import Refusal


class _Size:
    """A number that is not known."""


BATCH = _Size()
"""The number of samples, which only data tell."""
UNSIZED = _Size()
"""A side of something that was refused."""


def add(growth: Growth, terms: Sequence[Any], path: str) -> Signal:
    """Several projections onto one population."""
    if not all(isinstance(term, Signal) for term in terms):
        raise Refusal("a sum is of activities: a number or a parameter that is added belongs into a layer's bias")
    first, second = terms
    if first.shape != second.shape:
        raise Refusal(f"a sum is of equal shapes (got {list(first.shape)} and {list(second.shape)})")
    if first.flat and second.flat and first.cell.shape == second.cell.shape:
        unrolled = [Signal(term.cell, sole=term.sole) for term in terms]
        return Signal(growth.total(unrolled, path), flat=True)
    return Signal(growth.total(terms, path))


def concatenate(growth: Growth, terms: Sequence[Signal], dim: int, path: str) -> Signal:
    """One population whose channels are the operands' channels, one after the other."""
    sides = {term.shape[1:] for term in terms}
    if len(sides) != 1:
        raise Refusal(f"what is concatenated has maps of one size (got {[list(term.shape) for term in terms]})")
    if dim % (len(terms[0].shape) + 1) != 1:
        raise Refusal(f"concatenation is along the channels (got dim={dim}): say dim=1")
    cells, afferents, start = [growth.row(term, path) for term in terms], [], 0
    for cell in cells:
        stop = start + cell.shape[0]
        afferents.append(Afferent(cell, OneToOne(target=(start, stop))))
        start = stop
    return Signal(growth.open(path, (start, *cells[0].shape[1:]), *afferents))


def reshape(signal: Signal, sizes: Sequence[Any]) -> Signal:
    """`x.view(x.size(0), -1)` and its like: a row of all neurons; or what changes nothing."""
    asked = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else tuple(sizes)
    row = prod(signal.cell.shape)
    if asked in ((BATCH, -1), (BATCH, row), (-1, row)):
        return Signal(signal.cell, len(signal.cell.shape) > 1, signal.sole)
    if asked[1:] == signal.shape and asked[0] in (BATCH, -1):
        return signal
    shown = ", ".join("batch" if size is BATCH else str(size) for size in asked)
    raise Refusal(f"channels keep their order (got a view as [{shown}]): say torch.flatten(x, 1) for a row of them all")


def pick(growth: Growth, signal: Signal, index: Any, path: str) -> Signal:
    """`x[:, start:stop]`: some channels."""
    every = slice(None)
    parts = index if isinstance(index, tuple) else (index,)
    channels = parts[1] if len(parts) > 1 else every
    if parts[0] != every or any(part != every for part in parts[2:]) or not isinstance(channels, slice):
        raise Refusal("only channels can be picked: say x[:, start:stop]")
    if channels.step not in (None, 1):
        raise Refusal(f"channels are picked one after the other (got a step of {channels.step})")
    start, stop, _ = channels.indices(signal.shape[0])
    if (start, stop) == (0, signal.shape[0]):
        return signal
    if start >= stop:
        raise Refusal(f"no channel is left of {signal.shape[0]} (got {start} to {stop})")
    cell = growth.row(signal, path)
    picked = growth.open(path, (stop - start, *cell.shape[1:]), Afferent(cell, OneToOne(source=(start, stop))))
    return Signal(picked)


def is_size(value: Any) -> bool:
    """Whether a value belongs to the arithmetic of shapes."""
    return isinstance(value, int | _Size)


def calculate(target: Callable[..., Any], sizes: Sequence[Any]) -> Any:
    """Arithmetic of shapes."""
    return target(*sizes) if all(isinstance(each, int) for each in sizes) else UNSIZED


def size(signal: Signal, dim: int | None = None) -> Any:
    """`x.size()`, `x.shape`, `x.size(1)`."""
    whole = (BATCH, *signal.shape)
    return whole if dim is None else whole[dim]
