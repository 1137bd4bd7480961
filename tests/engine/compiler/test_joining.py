"""Two programs as one: the same values, each new state as soon as its drive is there and its old value was read."""

import pytest

import counterstream as cs
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.joining import joined
from counterstream.engine.compiler.program import Program

from ..nets import SYSTEMS, residual


def whole(system: str) -> Program:
    compiled = compile_circuit(residual(learning=system, decay=0.01), cs.Consolidation(momentum=0.9))
    return joined(compiled.modes["engaged"], "whole")


@pytest.mark.parametrize("system", SYSTEMS)
def test_operands_come_first_and_nothing_stands_twice(system: str) -> None:
    program = whole(system)
    assert len(set(program.values)) == len(program)
    for index, value in enumerate(program):
        assert all(operand < index for operand in value.inputs)
    assert not any(name.startswith("drive/") for name in program.results)


@pytest.mark.parametrize("system", SYSTEMS)
def test_new_states_follow_the_last_read_of_the_old_ones(system: str) -> None:
    program = whole(system)
    for name, new in program.results.items():
        if name in program.inputs and name.startswith(("weights", "trace")):
            old = next(i for i, value in enumerate(program) if value.operation == "input" and value["name"] == name)
            assert max(index for index, value in enumerate(program) if old in value.inputs) <= new


@pytest.mark.parametrize("system", SYSTEMS)
def test_one_correlation_waits_at_a_time(system: str) -> None:
    """Between a correlation and the new weights that it makes, no more than one other is made: where two projections
    share an upper signal, their ways back come first and then both correlations."""
    program = whole(system)
    correlations = [index for index, value in enumerate(program) if value.operation == "correlate"]
    for number, made in enumerate(correlations):
        following = [*correlations[number + 1 :], len(program)]
        last = made
        reached = {made}
        for index in range(made, len(program)):
            if reached & set(program.values[index].inputs):
                reached.add(index)
                last = index
        assert last < following[min(1, len(following) - 1)]
