"""How long it will still take, said by a steady run exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.cli.pace import Pace

from .clocks import Clock


@given(st.floats(1, 1e5), st.floats(0, 0.8), st.floats(0.01, 0.1))
def test_a_steady_run_is_told_exactly(whole: float, start: float, share: float) -> None:
    """From wherever it was taken up, and however long it took to begin."""
    clock = Clock()
    pace = Pace(clock)
    pace.begin(1, 1)
    clock.wait(500)
    pace.at(start)
    assert pace.left is None
    clock.wait(whole * share)
    pace.at(start + share)
    assert pace.left == pytest.approx(whole * (1 - start - share), rel=1e-3)


def test_it_counts_down_between_reports_and_not_below_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.at(0.0)
    clock.wait(10)
    pace.at(0.5)
    clock.wait(4)
    assert pace.left == pytest.approx(6)
    clock.wait(40)
    assert pace.left == 0.0


def test_runs_to_come_take_as_long_as_those_so_far() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.begin(1, 4)
    clock.wait(100)
    pace.end()
    pace.begin(2, 4)
    assert pace.left_in_all is None
    pace.at(0.0)
    clock.wait(100)
    pace.at(0.5)  # 200 s in all: 150 in the mean
    assert pace.left_in_all == pytest.approx(100 + 2 * 150)
    assert pace.elapsed == pytest.approx(200)
    pace.begin(4, 4)
    pace.at(0.0)
    clock.wait(1)
    pace.at(0.1)
    assert pace.left_in_all is None
