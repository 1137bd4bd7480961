"""Numbers that a person can reckon with, the simplest first: smaller counterexamples have earlier ones."""

from functools import cache

from hypothesis import strategies as st

from ..numbers import Rows

WHOLE = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)
TENTHS = tuple(sign * tenths / 10 for tenths in range(1, 41) if tenths % 10 for sign in (1, -1))
UNIT = (0.0, 1.0, -1.0, 0.5, -0.5)


@cache
def numbers(among: tuple[float, ...] = WHOLE + TENTHS) -> st.SearchStrategy[float]:
    """Small whole numbers, and numbers of one decimal up to 4; or some others, simplest first."""
    return st.sampled_from(among)


@cache
def matrices(height: int, width: int, among: tuple[float, ...] = WHOLE + TENTHS) -> st.SearchStrategy[Rows]:
    """Rows of numbers."""
    row = st.lists(numbers(among), min_size=width, max_size=width)
    return st.lists(row, min_size=height, max_size=height)
