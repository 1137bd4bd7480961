"""Options of stock networks that are reckoned with in Python: checked first, and named where they are wrong."""

from collections.abc import Sequence
from typing import Any

from ...circuits.errors import CircuitError, Location, Problem


def scaled(neurons: int, width: Any, network: str) -> int:
    """So many times `width`, rounded. Raises CircuitError."""
    if isinstance(width, bool) or not isinstance(width, int | float) or not 0 < width < float("inf"):
        raise _wrong(network, "width", f"must be a number above 0 (got {width!r})")
    return round(neurons * width)


def counted(number: Any, network: str, name: str) -> int:
    """A number of layers or of blocks, at least 1. Raises CircuitError."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise _wrong(network, name, f"must be a whole number, at least 1 (got {number!r})")
    return number


def counted_by_stage(numbers: Any, stages: int, network: str) -> tuple[int, ...]:
    """`depths`: a number of layers or of blocks for each stage. Raises CircuitError."""
    if not isinstance(numbers, Sequence) or isinstance(numbers, str) or len(numbers) != stages:
        raise _wrong(network, "depths", f"must be {stages} numbers, one a stage (got {numbers!r})")
    return tuple(counted(number, network, "depths") for number in numbers)


def _wrong(network: str, option: str, message: str) -> CircuitError:
    return CircuitError(Problem(message, option, Location(network)))
