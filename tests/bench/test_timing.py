"""Turns, medians and ratios."""

import pytest

from counterstream.bench.timing import alternate, ratios, spread


def test_everybody_steps_once_a_turn_and_takes_turns_at_being_first() -> None:
    called: list[str] = []
    turns: list[int] = []

    def stepper(name: str):  # type: ignore[no-untyped-def]
        return lambda: called.append(name) or 0.0

    seconds = alternate({name: stepper(name) for name in "abc"}, 4, turns.append)
    assert "".join(called) == "abcbcacababc"
    assert turns == [1, 2, 3, 4]
    assert {name: len(times) for name, times in seconds.items()} == dict.fromkeys("abc", 4)
    assert all(time > 0 for times in seconds.values() for time in times)


def test_spread_and_ratios() -> None:
    found = spread([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (found.median, found.low, found.high, found.n) == (3.0, 2.0, 4.0, 5)
    # Turn by turn, so that what slows a whole turn leaves no trace.
    assert ratios([1.0, 10.0, 100.0], [2.0, 20.0, 200.0]).median == 0.5
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])
