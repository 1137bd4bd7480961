"""Axes hold their values, ticks are round and few, labels never touch."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.analysis.report.charts import APART, MOST_POINTS, Line, apart, chart
from counterstream.analysis.report.scales import Axis, degrees, linear, logarithmic, ranks

values = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20)


@given(values)
def test_linear_axes_hold_their_values_between_few_ticks(given: list[float]) -> None:
    axis = linear("x", given)
    assert all(-1e-9 <= axis.place(value) <= 1 + 1e-9 for value in given)
    assert 2 <= len(axis.ticks) <= 8
    assert axis.ticks[0][0] <= 0


@given(values, st.booleans())
def test_logarithmic_axes_hold_their_values_zeros_at_the_foot(given: list[float], zero: bool) -> None:
    axis = logarithmic("x", [*given, *([0.0] if zero else [])])
    assert all(-1e-9 <= axis.place(value) <= 1 + 1e-9 for value in given)
    assert 1 <= len(axis.ticks) <= 8
    if zero:
        assert axis.ticks[0] == (axis.low, "0")
        assert axis.place(0.0) == 0


def test_a_logarithm_that_would_tell_nothing_is_not_taken() -> None:
    assert not logarithmic("x", [3.0, 4.0]).logarithmic
    assert not logarithmic("x", [-1.0, 100.0]).logarithmic
    assert logarithmic("x", [0.01, 4.0]).logarithmic


@pytest.mark.parametrize(("largest", "top"), [(12.0, 90.0), (91.5, 90.0), (130.0, 150.0)])
def test_degrees_reach_90_and_beyond_where_angles_do(largest: float, top: float) -> None:
    axis = degrees("angle", [largest])
    assert axis.ticks[-1] == (top, f"{top:.0f}°")
    assert axis.place(largest) <= 1


@pytest.mark.parametrize("given", [[], [math.nan], [0.0], [5.0, 5.0]])
def test_axes_of_little_are_axes(given: list[float]) -> None:
    for axis in (linear("x", given), logarithmic("x", given), degrees("x", given), ranks("x", len(given))):
        assert axis.high > axis.low
        assert math.isfinite(axis.place(1.0))


@given(st.lists(st.floats(20, 190), max_size=8))
def test_labels_stand_apart_within_the_chart(heights: list[float]) -> None:
    placed = apart(sorted(heights), least=22.0, most=190.0)
    assert all(later - earlier > APART - 1e-6 for earlier, later in pairwise(placed))
    assert all(22.0 - 1e-6 <= height <= 190.0 + 1e-6 for height in placed)


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    count = 5000
    line = Line(name="a", x=range(count), y=[float(i % 7) for i in range(count)], look="s0")
    drawn = chart("t", [line], linear("x", [count]), linear("y", [7.0]))
    assert drawn.count("L") <= MOST_POINTS + 1
    assert f' {count - 1}"' in drawn
    assert 'data-x="0 ' in drawn


def test_missing_points_are_left_out() -> None:
    line = Line(name="a", x=[0, 1, 2], y=[1.0, math.nan, 3.0], look="s0")
    axis: Axis = linear("x", [3.0])
    assert 'data-x="0 2" data-y="1 3"' in chart("t", [line], axis, axis)
