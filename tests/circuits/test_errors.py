"""Problems, their places, and the nearest valid names."""

import time

import pytest

import counterstream as cs
from counterstream.circuits.errors import CounterstreamError, Location, Problem, suggest


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
