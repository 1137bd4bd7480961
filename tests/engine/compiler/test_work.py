"""Work that need not be done is not in the programs: counted, operation by operation."""

import pytest

import counterstream as cs
from counterstream.engine.compiler.compile import CompiledCircuit, compile_circuit
from counterstream.engine.compiler.program import Program

from ..nets import SYSTEMS, residual

WEIGHTED = 7  # projections of the residual net that have weights
HIDDEN = 6  # those that do not start at the image: only these have a way back


def compiled(system: str) -> CompiledCircuit:
    return compile_circuit(residual(learning=system))


def observe(system: str) -> Program:
    return compiled(system).modes["engaged"].observe


def weighted(program: Program, operation: str) -> list[int]:
    """Positions of the values that one operation makes over wirings with weights."""
    return [
        index
        for index, value in enumerate(program)
        if value.operation == operation and value["geometry"].weight_shape is not None
    ]


@pytest.mark.parametrize("system", sorted({*SYSTEMS} - {"direct_feedback_alignment"}))
def test_one_correlation_a_pair_and_no_way_back_to_the_image(system: str) -> None:
    program = observe(system)
    assert len(weighted(program, "project")) == WEIGHTED
    assert len(weighted(program, "correlate")) == WEIGHTED
    assert len(weighted(program, "project_back")) == HIDDEN


def test_kolen_pollack_gives_both_synapses_one_drive() -> None:
    results = observe("kolen_pollack").results
    weights = [name for name in results if name.startswith("drive/weights")]
    assert len(weights) == WEIGHTED + HIDDEN
    assert len({results[name] for name in weights}) == WEIGHTED


def test_signs_are_taken_once_a_step() -> None:
    program = observe("sign_symmetry")
    signs = [value for value in program if value.operation == "function" and value["name"] == "sign"]
    assert len(signs) == len({value.inputs for value in signs}) == HIDDEN


def test_direct_feedback_has_no_chain() -> None:
    """The output's error goes to each population over a B of its own; nothing passes a projection backwards."""
    program = observe("direct_feedback_alignment")
    (error,) = (index for index, value in enumerate(program) if value.operation == "error")
    assert program.count("project_back") == 0
    assert sum(error in program.values[index].inputs for index in weighted(program, "project")) == 8  # all that learn


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_made_that_nobody_reads(system: str) -> None:
    for programs in compiled(system).modes.values():
        for program in (programs.observe, programs.consolidate):
            read = {index for value in program for index in value.inputs} | set(program.results.values())
            assert read == set(range(len(program)))


def test_no_feedback_where_nothing_learns_from_it() -> None:
    """A frozen first stage needs no errors: none is computed for it."""
    text = """
name: frozen
populations:
  image: {input: [4]}
  a: {transfer: tanh, bias: false}
  b: {transfer: tanh}
  answer: {transfer: softmax}
projections:
  - {from: image, to: a, wiring: {dense: {size: 5}}, plastic: false}
  - {from: a, to: b, wiring: {dense: {size: 5}}}
  - {from: b, to: answer, wiring: {dense: {size: 3}}}
"""
    program = compile_circuit(cs.loads(text, learning="backprop")).modes["engaged"].observe
    assert program.count("project_back") == 1
    assert program.count("correlate") == 2
