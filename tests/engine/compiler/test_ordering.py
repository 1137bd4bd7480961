"""The order of values: operands first, what leaves the batch early, the way back before the correlation."""

import pytest

import counterstream as cs
from counterstream.engine.compiler.compile import compile_circuit
from counterstream.engine.compiler.ordering import in_order
from counterstream.engine.compiler.program import Value

from ..nets import SYSTEMS


def value(operation: str, *inputs: int, batched: bool = True) -> Value:
    return Value(operation, inputs, (), (), batched)


def test_a_mean_follows_the_last_other_reader_of_its_operand() -> None:
    values = [
        value("input"),
        value("transfer", 0),
        value("transfer", 1),  # another reader of 1
        value("transfer", 2),
        value("input", batched=False),
        value("batch_mean", 1, batched=False),
        value("scale", 5, batched=False),
    ]
    assert in_order(values, range(7)) == [0, 4, 1, 2, 5, 6, 3]


def test_what_is_not_needed_has_no_place() -> None:
    assert in_order([value("input"), value("transfer", 0), value("transfer", 0)], {0, 2}) == [0, 2]


@pytest.mark.parametrize("learning", SYSTEMS)
def test_programs_are_in_order(learning: str) -> None:
    for mode in compile_circuit(cs.load("digits_resnet", learning=learning)).modes.values():
        for program in (mode.observe, mode.consolidate):
            for index, one in enumerate(program):
                assert all(operand < index for operand in one.inputs)


@pytest.mark.parametrize("learning", [name for name in SYSTEMS if name != "direct_feedback_alignment"])
def test_the_way_back_comes_before_the_correlation(learning: str) -> None:
    """Engines compute both in one call where everything that either reads is there."""
    program = compile_circuit(cs.load("digits_resnet", learning=learning)).modes["engaged"].observe
    backs = {(v.inputs[0], v["geometry"]): i for i, v in enumerate(program) if v.operation == "project_back"}
    pairs = 0
    for index, one in enumerate(program):
        back = backs.get((one.inputs[1], one["geometry"])) if one.operation == "correlate" else None
        if back is not None:
            pairs += 1
            assert back < index
            assert max(one.inputs) < back, "both could be computed at the first of the two"
    assert pairs == 15
