"""The builder: equal operations are made once, nothing stays that no result needs, shapes are asserted."""

import pytest

import counterstream as cs
from counterstream.circuits.wiring import Dense, Geometry
from counterstream.engine.compiler.builder import ProgramBuilder
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.operations import OPERATIONS
from counterstream.engine.compiler.program import Program

from ..nets import SYSTEMS, plain

GEOMETRY = Geometry(Dense(size=2), (3,), (2,))


def builder() -> tuple[ProgramBuilder, int, int]:
    made = ProgramBuilder("by hand")
    return made, made.input("x", (3,), role="data", batched=True), made.input("w", (2, 3), role="state")


def test_equal_operations_on_equal_values_are_one_value() -> None:
    made, x, w = builder()
    assert made.input("x", (3,), role="data", batched=True) == x
    assert made.project(x, w, GEOMETRY) == made.project(x, w, GEOMETRY)
    assert made.scale(x, 2) == made.scale(x, 2.0)
    assert made.scale(x, 2) != made.scale(x, 3)
    assert made.function(x, "tanh") != made.function(x, "relu")


def test_operations_that_change_nothing_are_not_made() -> None:
    made, x, w = builder()
    assert made.scale(x, 1) == made.shift(x, 0) == made.power(x, 1) == made.transfer(x, "linear") == x
    assert made.gate(x, x, x, "linear") == x
    assert made.total([x]) == x
    assert made[w].shape == (2, 3)


def test_what_no_result_needs_goes_inputs_too() -> None:
    made, x, w = builder()
    made.project(x, w, GEOMETRY)
    program = made.program({"y": made.scale(x, 2)})
    assert [value.operation for value in program] == ["input", "scale"]
    assert list(program.inputs) == ["x"]
    assert program.results == {"y": 1}


def test_values_stand_after_what_they_read() -> None:
    for system in SYSTEMS:
        for programs in compile_circuit(plain(system)).modes.values():
            for program in (programs.observe, programs.consolidate):
                check(program)


def check(program: Program) -> None:
    assert len(set(program)) == len(program.values), "no value twice"
    for index, value in enumerate(program):
        assert value.operation in OPERATIONS
        assert all(operand < index for operand in value.inputs)
    used = {operand for value in program for operand in value.inputs} | set(program.results.values())
    assert used == set(range(len(program)))


def test_shapes_that_do_not_fit_are_our_own_mistake() -> None:
    made, x, w = builder()
    with pytest.raises(AssertionError):
        made.add(x, w)
    with pytest.raises(AssertionError):
        made.project(w, w, GEOMETRY)


def test_a_number_meets_any_shape() -> None:
    made, x, _ = builder()
    rate = made.input("rate", (), role="hyper")
    assert made[made.multiply(x, rate)].shape == made[made.multiply(rate, x)].shape == (3,)
    assert made[made.multiply(rate, x)].batched


def test_compiling_is_pure() -> None:
    first, second = (compile_circuit(plain("kolen_pollack"), cs.Consolidation(momentum=0.9)) for _ in range(2))
    for mode in first.modes:
        assert first.modes[mode].observe == second.modes[mode].observe
        assert first.modes[mode].consolidate == second.modes[mode].consolidate
    assert first.states == second.states
