"""Names to blocks, and blocks in a row that are alike to one."""

from textwrap import indent

import pytest

import counterstream as cs
from counterstream.circuits.drawing.outline import Outline, outline
from counterstream.circuits.graph import build_graph


def outlined(circuit: cs.Circuit) -> Outline:
    return outline(build_graph(cs.expand(circuit)))


def chain(*lines: str, learning: str = "kolen_pollack") -> cs.Circuit:
    """Populations of 4 neurons by name, each with what feeds it: `name < source source`."""
    populations, projections = ["x: {input: [4]}"], []
    for line in lines:
        name, _, sources = line.partition(" < ")
        populations.append(f"{name}: {{transfer: tanh}}")
        projections += [
            f"- {{from: {source}, to: {name}, wiring: {{dense: {{size: 4}}}}}}" for source in sources.split()
        ]
    last = lines[-1].partition(" < ")[0]
    populations.append("out: {transfer: softmax}")
    projections.append(f"- {{from: {last}, to: out, wiring: {{dense: {{size: 3}}}}}}")
    parts = (indent("\n".join(part), "  ") for part in (populations, projections))
    return cs.loads("populations:\n{}\nprojections:\n{}\n".format(*parts), learning=learning)


def test_stages_and_blocks_of_a_resnet() -> None:
    found = outlined(cs.load("resnet50"))
    assert [node.path for node in found.root.children] == [
        *("image", "stem.block1", "stage1", "stage2", "stage3", "stage4", "pooled", "answer")
    ]
    stage = found.blocks["stage3"]
    assert [(node.label, node.times) for node in stage.children] == [("block1", 1), ("block2\u20136", 5)]
    assert found.blocks["stage3.block5"] is stage.children[1]
    assert found.stands_for["stage3.block6.hidden"] == "stage3.block2.hidden"
    assert found.blocks["stem"] is found.blocks["stem.block1"]


@pytest.mark.parametrize("learning", ["kolen_pollack", "backprop", "direct_feedback_alignment"])
def test_blocks_that_are_alike_fold(learning: str) -> None:
    blocks = ("b1.h < a", "b1.y < b1.h a", "b2.h < b1.y", "b2.y < b2.h b1.y")
    found = outlined(chain("a < x", *blocks, learning=learning))
    assert [(node.path, node.times) for node in found.root.children] == [("x", 1), ("a", 1), ("b1", 2), ("out", 1)]


def test_the_first_of_all_blocks_has_no_feedback_to_its_source_and_stands_alone() -> None:
    circuit = chain("b1.h < x", "b1.y < b1.h x", "b2.h < b1.y", "b2.y < b2.h b1.y")
    assert [node.path for node in outlined(circuit).root.children] == ["x", "b1", "b2", "out"]


def test_a_block_that_differs_does_not_fold() -> None:
    circuit = chain("a < x", "b1.h < a", "b1.y < b1.h", "b2.h < b1.y", "b2.y < b2.h b1.y")
    assert [node.path for node in outlined(circuit).root.children] == ["x", "a", "b1", "b2", "out"]


def test_a_block_that_feeds_another_than_the_next_does_not_fold() -> None:
    circuit = chain("a < x", "b1.h < a", "b1.y < b1.h", "b2.h < b1.y", "b2.y < b2.h", "top < b1.h b2.y")
    assert [node.path for node in outlined(circuit).root.children] == ["x", "a", "b1", "b2", "top", "out"]


def test_a_block_with_another_source_does_not_fold() -> None:
    circuit = chain("a < x", "b1.h < a", "b1.y < b1.h", "b2.h < b1.h", "b2.y < b2.h", "top < b1.y b2.y")
    assert [node.path for node in outlined(circuit).root.children][2:4] == ["b1", "b2"]


def test_other_names_fold_too() -> None:
    circuit = chain("a < x", "one.h < a", "one.y < one.h", "two.h < one.y", "two.y < two.h")
    (_, _, fold, _) = outlined(circuit).root.children
    assert (fold.label, fold.times, fold.instances) == ("one \u2026 two", 2, ("one", "two"))


def test_blocks_between_which_activity_runs_in_circles_are_dissolved() -> None:
    circuit = chain("a.h < x", "b.h < a.h", "a.y < b.h", "b.y < a.y")
    assert [node.path for node in outlined(circuit).root.children] == ["x", "a.h", "b.h", "a.y", "b.y", "out"]


def test_a_way_that_has_begun_is_followed() -> None:
    circuit = chain("a1 < x", "b1 < x", "a2 < a1", "b2 < b1", "sum < a2 b2")
    assert [node.path for node in outlined(circuit).root.children] == ["x", "a1", "a2", "b1", "b2", "sum", "out"]


def test_blocks_between_other_shapes_do_not_fold() -> None:
    circuit = cs.load("mlp", options={"depth": 4}, learning="direct_feedback_alignment")
    (stage,) = [node for node in outlined(circuit).root.children if node.is_block]
    assert [(node.path, node.times) for node in stage.children] == [
        ("stage1.block1.hidden", 1),
        ("stage1.block2", 3),
    ]
