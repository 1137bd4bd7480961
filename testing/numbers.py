"""Arrays as plain numbers, which JSON can hold and a person can read."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = list[list[float]]
"""A matrix, row by row."""


def rows(array: Array) -> Rows:
    """The matrix as plain numbers."""
    plain: Rows = (np.asarray(array, np.float64) + 0.0).tolist()  # -0 reads as a mistake
    return plain


def differ(found: Array, expected: Array, tolerance: float, least: float = 1.0) -> bool:
    """Whether some number is off by more than `tolerance` times the larger of `least` and the largest of all numbers.

    What is no number on both sides alike does not differ.
    """
    size = max((least, *(float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in (found, expected))))
    return not np.allclose(found, expected, rtol=0, atol=tolerance * size, equal_nan=True)


def text(value: object) -> str:
    """Numbers in as few digits as tell them, those of one synapse or neuron without brackets."""
    if isinstance(value, list):
        return text(value[0]) if len(value) == 1 else f"[{', '.join(_nested(item) for item in value)}]"
    return _number(value, 6)


def told_apart(one: object, other: object) -> tuple[str, str]:
    """Both as `text`, in as many digits as it takes to see that they differ."""
    if text(one) != text(other):
        return text(one), text(other)
    return repr(one), repr(other)


def _nested(value: object) -> str:
    return f"[{', '.join(map(_nested, value))}]" if isinstance(value, list) else _number(value, 6)


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def addresses(matrix: Rows) -> Iterator[tuple[int, int]]:
    """Every (row, column) of a matrix."""
    return ((row, column) for row, numbers in enumerate(matrix) for column in range(len(numbers)))


def mapped(matrix: Rows, change: Callable[[Array], Array]) -> Rows:
    """The matrix after a change of the whole."""
    return rows(change(np.asarray(matrix, np.float64)))
