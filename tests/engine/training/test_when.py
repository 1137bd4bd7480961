"""When records are due."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.engine.training.when import Instants, due, log_spaced


def steps(*when: Instants, total: int = 20, per_epoch: int = 5) -> list[int]:
    return [step for step in range(total + 1) if due(when, step, total, per_epoch)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ([Instants(epochs=1)], [0, 5, 10, 15, 20]),
        ([Instants(epochs=3)], [0, 15, 20]),
        ([Instants(steps=8)], [0, 8, 16, 20]),
        ([Instants(end=True)], [20]),
        ([Instants(log=3)], [0, 4, 20]),
        ([Instants(log=100)], list(range(21))),
        ([Instants(steps=9), Instants(log=3), Instants(end=True)], [0, 4, 9, 18, 20]),
    ],
)
def test_instants(when: list[Instants], expected: list[int]) -> None:
    assert steps(*when) == expected


@given(count=st.integers(2, 60), total=st.integers(1, 100_000))
def test_log_spaced_steps(count: int, total: int) -> None:
    """As many as asked for where there are so many, the first and the last included, ever further apart."""
    found = sorted(log_spaced(count, total))
    assert len(found) == min(count, total + 1)
    assert (found[0], found[-1]) == (0, total)
    gaps = [after - before for before, after in pairwise(found)]
    assert all(later >= earlier - 1 for earlier, later in pairwise(gaps))
