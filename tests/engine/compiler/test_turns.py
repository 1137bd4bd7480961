"""Who is served in which turn of a mode that rotates."""

from typing import Any

import pytest

import counterstream as cs
from counterstream.circuits.declarations import Tie
from counterstream.engine.compiler.circuit_cost import circuit_cost
from counterstream.engine.compiler.compile import CompiledCircuit, compile_circuit
from counterstream.engine.compiler.joining import joined

from ..nets import mirror

STACK = """
populations:
  image: {input: [6]}
  a: {transfer: relu}
  b: {transfer: relu}
  c: {transfer: relu}
  d: {transfer: relu}
  answer: {transfer: softmax}
projections:
  - {name: first, from: image, to: a, wiring: {dense: {size: 5}}}
  - {name: second, from: a, to: b, wiring: {dense: {size: 5}}}
  - {name: third, from: b, to: c, wiring: {dense: {size: 5}}}
  - {name: fourth, from: c, to: d, wiring: {dense: {size: 5}}}
  - {name: last, from: d, to: answer, wiring: {dense: {size: 3}}}
"""


def compiled(text: str = STACK, **mode: Any) -> CompiledCircuit:
    return compile_circuit(cs.loads(text, learning=mirror(**mode)))


def served(circuit: CompiledCircuit) -> list[list[str]]:
    """The projections of each turn."""
    return [[noise.name.removeprefix("noise/") for noise in turn.noise] for turn in circuit.turns["mirror"]]


@pytest.mark.parametrize(
    ("layers", "turns"),
    [
        ("all", [["last", "fourth", "third", "second"]]),
        ("rotate", [["last"], ["fourth"], ["third"], ["second"]]),
        ({"rotate": 1}, [["last"], ["fourth"], ["third"], ["second"]]),
        ({"rotate": 3}, [["last", "fourth", "third"], ["second"]]),
        ({"rotate": 9}, [["last", "fourth", "third", "second"]]),
    ],
    ids=str,
)
def test_every_projection_has_one_turn_in_a_round(layers: Any, turns: list[list[str]]) -> None:
    assert served(compiled(layers=layers)) == turns


def test_modes_with_data_have_one_turn() -> None:
    circuit = compiled(layers="rotate")
    assert circuit.turns["engaged"] == (circuit.modes["engaged"],)


def test_a_turn_reads_and_moves_nothing_of_the_others() -> None:
    turns = compiled(layers="rotate").turns["mirror"]
    for label, turn in zip(("last", "fourth", "third", "second"), turns, strict=True):
        assert turn.observe.inputs.keys() == {f"noise/{label}", f"weights/{label}"}
        assert turn.observe.results.keys() == {f"drive/weights/{label}~"}
        assert turn.consolidate.results.keys() == {f"weights/{label}~"}
        assert [learner.state for learner in turn.learners] == [f"weights/{label}~"]
        assert joined(turn, "joined").inputs.keys() == {f"noise/{label}", f"weights/{label}", f"weights/{label}~"}


def test_projections_that_share_a_weight_share_a_turn() -> None:
    """Two mirrors that are one weight would else be moved twice in a round, and leak twice."""
    explicit = cs.expand(cs.loads(STACK, learning=mirror(layers="rotate")))
    tie = Tie(same_as="second~")
    projections = [p.model_copy(update={"weights": tie}) if p.label == "fourth~" else p for p in explicit.projections]
    circuit = compile_circuit(explicit.model_copy(update={"projections": projections}))
    assert served(circuit) == [["last"], ["fourth", "second"], ["third"]]


def test_a_projection_and_its_reverse_share_a_turn() -> None:
    """The noise of a projection is drawn once: both of its rules see the same."""
    rule = {"dw": "-r * w", "positions": "mean"}
    circuit = compiled(layers="rotate", forward=rule)
    assert served(circuit) == [["first"], ["second"], ["third"], ["fourth"], ["last"]]
    moved = [set(turn.consolidate.results) for turn in circuit.turns["mirror"]]
    assert moved[1] == {"weights/second", "weights/second~"}


def test_the_cost_of_a_step_is_a_turns() -> None:
    whole, turns = (circuit_cost(compiled(layers=layers), batch=4, itemsize=4) for layers in ("all", "rotate"))
    assert turns.modes["mirror"].total.multiply_adds == whole.modes["mirror"].total.multiply_adds
    assert turns.modes["mirror"].maps == whole.modes["mirror"].maps
    assert turns.share("mirror", "engaged") == pytest.approx(whole.share("mirror", "engaged") / 4)
    assert turns.modes["mirror"].memory < whole.modes["mirror"].memory


def test_the_explicit_circuit_says_who_rotates() -> None:
    for layers in ("rotate", {"rotate": 3}):
        again = cs.loads(cs.dump(cs.expand(cs.loads(STACK, learning=mirror(layers=layers)))))
        assert again.modes["mirror"].layers == mirror(layers=layers).modes["mirror"].layers
