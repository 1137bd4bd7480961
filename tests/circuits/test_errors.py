"""Problems, their places, and the nearest valid names."""

import time

import pytest

import counterstream as cs
from counterstream.circuits.errors import (
    MAXIMAL_PROBLEMS,
    CounterstreamError,
    Location,
    Problem,
    Problems,
    shortened,
    suggest,
)


def test_a_problem_reads_place_path_message() -> None:
    problem = Problem("must hold", "a.b", Location("f.yaml", 3, 7))
    assert str(problem) == "f.yaml:3:7: a.b: must hold"
    assert str(Problem("must hold", "", Location("f.yaml"))) == "f.yaml: must hold"
    assert str(Problem("must hold")) == "<circuit>: must hold"


def test_an_error_carries_all_problems_and_an_exit_code() -> None:
    error = cs.CircuitError([Problem("one"), Problem("two", location=Location("g", 1, 1))])
    assert isinstance(error, CounterstreamError)
    assert error.exit_code == 2
    assert str(error).splitlines() == ["<circuit>: one", "g:1:1: two"]
    located = error.located(Location("f", 9, 9), "here")
    assert [str(problem) for problem in located.problems] == ["f:9:9: here: one", "g:1:1: here: two"]


@pytest.mark.parametrize("count", [10, 5000])
def test_the_nearest_name_is_found_among_few_and_many(count: int) -> None:
    names = [f"stage{index}.block1.conv" for index in range(count)]
    began = time.process_time()
    assert "Did you mean 'stage7.block1.conv'?" in suggest("stage7.blok1.conv", names)
    assert time.process_time() - began < 0.2


def test_where_nothing_is_near_the_names_are_listed() -> None:
    assert suggest("zzz", ["relu", "tanh"], "functions") == "functions: relu, tanh"
    assert suggest("zzz", []) == "there are none"
    assert suggest("zzz", [f"n{i}" for i in range(30)]).endswith("n19, ...")


def test_a_look_alike_is_told_and_its_double_found() -> None:
    said = suggest("t\u043e", ["from", "to"], "keys")
    assert said == "'\u043e' is U+043E CYRILLIC SMALL LETTER O. Did you mean 'to'? keys: from, to"


def test_what_a_terminal_obeys_is_shown_and_not_obeyed() -> None:
    error = cs.CircuitError(Problem("got '\x1b[31m\nred'", "a\u202eb", Location("f\x07", 1, 2)))
    assert str(error) == "f\\x07:1:2: a\\u202eb: got '\\x1b[31m\\x0ared'"
    assert str(CounterstreamError("one\ntwo\r")) == "one\ntwo\\x0d"


def test_long_messages_keep_both_ends() -> None:
    assert shortened("short") == "short"
    text = str(Problem("begin" + "x" * 10_000 + "end", "p" * 10_000))
    assert len(text) < 1100
    assert "begin" in text
    assert text.endswith("xend")


def test_problems_are_told_once_sorted_and_no_more_than_can_be_mended() -> None:
    found = Problems([Problem("two", location=Location("f", 2)), Problem("one", location=Location("f", 1))])
    found.extend([Problem("one", location=Location("f", 1))])
    with pytest.raises(cs.CircuitError) as caught:
        found.stop()
    assert [problem.message for problem in caught.value.problems] == ["one", "two"]
    Problems().stop()  # nothing is wrong
    with pytest.raises(cs.CircuitError) as caught:
        Problems(Problem(str(number)) for number in range(10**9))
    assert len(caught.value.problems) == MAXIMAL_PROBLEMS + 1
    assert str(caught.value).splitlines()[-1] == "... and more"
