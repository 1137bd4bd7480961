"""The picture of a circuit, whatever the circuit: nothing is missing, nothing overlaps, red is weight transport."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.drawing import picture
from counterstream.circuits.drawing.cards import PAD
from counterstream.circuits.drawing.metrics import width
from counterstream.circuits.drawing.scene import Group, Rectangle, Scene, Text, Wire
from counterstream.circuits.drawing.style import BODY
from counterstream.circuits.errors import CounterstreamError
from counterstream.circuits.yamlfile import Document
from counterstream.models import stock_circuits, stock_learning
from counterstream.models.library import load_document
from counterstream.testing.strategies import circuits, declared

from .boxes import boxes, colors, open_blocks, points, texts

SYSTEMS = sorted(stock_learning())


@st.composite
def in_blocks(draw: st.DrawFn) -> cs.Circuit:
    """Random circuits whose populations stand in blocks, in any way: activity may run in circles between blocks."""
    data = draw(declared(6))
    where = st.sampled_from(["", "a.", "b.", "a.x.", "a.y.", "b.x.z."])
    names = {name: name if "input" in spec else draw(where) + name for name, spec in data["populations"].items()}
    data["populations"] = {names[name]: spec for name, spec in data["populations"].items()}
    for projection in data["projections"]:
        projection.update({end: names[projection[end]] for end in ("from", "to")})
    return load_document(Document(data, "drawn"), learning=draw(st.sampled_from(SYSTEMS)))


def assert_sound(circuit: cs.Circuit, scene: Scene) -> None:
    """What holds of every picture."""
    found = boxes(scene)
    assert not [(a.tip, b.tip) for a, b in combinations(found, 2) if a.overlaps(b)]
    drawn = {name for box in found for name in box.names}
    blocks = drawn | open_blocks(scene)
    explicit = cs.expand(circuit)
    for name, population in explicit.populations.items():
        forward = population.partner or name
        inside = any(forward.startswith(f"{block}.") for block in blocks)
        assert name in drawn or inside, name
        if name in drawn and population.partner:
            here, there = (next(box for box in found if each in box.names) for each in (name, forward))
            assert (here.top, here.bottom) == (there.top, there.bottom)
    assert all(-0.01 <= x <= scene.width + 0.01 and -0.01 <= y <= scene.height + 0.01 for x, y in points(scene))
    for box in found:
        assert_text_fits(box.group)
    assert ("transport" in colors(scene)) == cs.check(circuit).transports_weights


def assert_text_fits(group: Group) -> None:
    front = [s for s in group.shapes if isinstance(s, Rectangle) and str(s.fill).endswith("_fill")][-1]
    for text in (shape for shape in group.shapes if isinstance(shape, Text)):
        wide = width(text.text, text.size, bold=text.bold)
        left = text.x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.anchor]
        assert front.x + PAD - 4 <= left, text.text
        assert left + wide <= front.x + front.width - PAD + 0.01, text.text
        assert front.y < text.y < front.y + front.height


@settings(max_examples=40, deadline=None)
@given(circuits(layers=6))
def test_random_circuits(circuit: cs.Circuit) -> None:
    scene = picture(circuit)
    assert_sound(circuit, scene)
    assert {name for box in boxes(scene) for name in box.names} == set(cs.expand(circuit).populations)


@settings(max_examples=60, deadline=None)
@given(in_blocks(), st.none() | st.integers(0, 3), st.booleans())
def test_random_circuits_in_blocks(circuit: cs.Circuit, depth: int | None, foldable: bool) -> None:
    assert_sound(circuit, picture(circuit, depth=depth, foldable=foldable))


@pytest.mark.parametrize("name", sorted(stock_circuits()))
def test_stock_circuits(name: str) -> None:
    circuit = cs.load(name, learning="weight_mirror")
    assert_sound(circuit, picture(circuit))


@pytest.mark.parametrize("learning", SYSTEMS)
def test_red_is_weight_transport(learning: str) -> None:
    circuit = cs.load("digits_resnet", learning=learning)
    for depth in (0, 1, 9):
        red = "transport" in colors(picture(circuit, depth=depth))
        assert red == cs.check(circuit).transports_weights


def test_shared_weights_are_red_too() -> None:
    circuit = cs.loads(SHARED)
    scene = picture(circuit)
    assert "transport" in colors(scene)
    assert "= W" in texts(scene)


SHARED = """
populations:
  x: {input: [4]}
  a: {shape: [4]}
  b: {loss: squared}
projections:
  - {name: first, from: x, to: a, wiring: dense, rules: {engaged: "-post.rate * pre.rate"}}
  - {name: second, from: a, to: b, wiring: {dense: {size: 4}}, weights: {same_as: first}}
modes: {engaged: {}}
"""


def test_every_rule_is_written_once_with_its_letter() -> None:
    circuit = cs.load("digits_resnet", learning="weight_mirror")
    said = texts(picture(circuit, depth=9))
    rules = {rule for verdict in cs.check(circuit).verdicts for rule in verdict.rules.values()}
    assert len(rules) == 4
    for rule in rules:
        assert sum(text.endswith(f"= {rule}") for text in said) == 1
    assert said.count("A") > said.count("B") > 10
    assert any(text.startswith("mirror: one projection at a time") for text in said)


def test_wiring_stands_at_the_lines_in_words() -> None:
    said = texts(picture(cs.load("digits_resnet"), depth=9))
    assert "3\u00d73 conv, 1 \u2192 12" in said
    assert any(text.startswith("1\u00d71 conv, stride 2") for text in said)
    assert "global average pool" in said
    assert "loss: cross entropy" in said
    assert "48 \u00d7 2 \u00d7 2" in said


def test_fixed_feedback_says_so() -> None:
    said = texts(picture(cs.load("digits_resnet", learning="feedback_alignment"), depth=9))
    assert said.count("fixed") > 10


def lines_into(scene: Scene, block: str) -> set[str]:
    """The colors of the lines that end at the box of a closed block in the feedback stream, from below."""
    (box,) = [box for box in boxes(scene) if box.stream == "feedback" and block in box.names]
    return {
        item.color
        for item in scene.visible
        if isinstance(item, Wire)
        and box.left < item.points[-1][0] < box.right
        and abs(scene.y(item.points[-1][1]) - box.bottom) < 0.01
    }


def test_direct_feedback_looks_on_its_way_into_a_block_as_it_is() -> None:
    scene = picture(cs.load("digits_resnet", learning="direct_feedback_alignment"), depth=0)
    assert [lines_into(scene, f"stage{n}") for n in (1, 2, 3)] == [{"fixed"}] * 3
    scene = picture(cs.load("digits_resnet", learning="kolen_pollack"), depth=0)
    assert "fixed" not in colors(scene)


@pytest.mark.parametrize("learning", ["backprop", "direct_feedback_alignment", "sign_symmetry"])
@pytest.mark.parametrize("name", ["resnet18_v2", "resnet50_post", "vgg_bn"])
def test_nothing_is_cut_in_the_boxes_of_stock_circuits(name: str, learning: str) -> None:
    circuit = cs.load(name, learning=learning)
    for depth in (0, 1):
        assert not [text for text in texts(picture(circuit, depth=depth)) if "\u2026" in text]


def test_a_long_name_leaves_the_next_line_to_the_shape() -> None:
    long = "a_name_of_five_or_six_words"
    said = texts(picture(cs.loads(CHANNELS.replace("b.out", long))))
    assert long in said
    assert "3 \u00d7 2 \u00d7 2" in said


CHANNELS = """
populations:
  x: {input: [2, 4, 4]}
  b.first: {transfer: relu}
  b.both: {shape: [5, 4, 4]}
  b.low: {}
  b.out: {transfer: relu}
  y: {transfer: softmax}
projections:
  - {from: x, to: b.both, wiring: {one_to_one: {target: [3, 5]}}}
  - {from: x, to: b.first, wiring: {conv: {channels: 3, kernel: 3}}}
  - {from: b.first, to: b.both, wiring: {one_to_one: {target: [0, 3]}}}
  - {from: b.both, to: b.low, wiring: {pool: {kind: max, size: 2}}}
  - {from: b.low, to: b.out, wiring: {conv: {channels: 3, kernel: 1}}}
  - {from: b.out, to: y, wiring: {dense: {size: 2}}}
learning: backprop
"""


def test_a_closed_block_lists_synapses_first_and_no_ranges_of_channels() -> None:
    scene = picture(cs.loads(CHANNELS), depth=0)
    listed = {
        box.stream: [shape.text for shape in box.group.shapes if isinstance(shape, Text) and shape.size == BODY]
        for box in boxes(scene)
        if box.names == ["b"]
    }
    assert listed["forward"][1:] == ["3\u00d73 conv, 2 \u2192 3", "1\u00d71 conv, 5 \u2192 3", "2\u00d72 max pool"]
    assert listed["feedback"][1:] == ["W transposed, 3 \u2192 5", "reverse of 2\u00d72 max pool"]


def test_a_resnet50_is_one_page_unless_it_is_asked_to_open() -> None:
    circuit = cs.load("resnet50", learning="weight_mirror")
    page = picture(circuit)
    assert page.height < 1.5 * page.width
    assert "block2\u20134 \u00d7 3" in texts(page)
    opened = picture(circuit, opened=["stage2.block3"])
    assert opened.height > page.height
    assert "\u00d7 3, each fed by the one before" in texts(opened)


def test_opening_a_block_opens_those_around_it() -> None:
    circuit = cs.load("digits_resnet")
    shown = open_blocks(picture(circuit, opened=["stage2.block1"], depth=0))
    assert shown == {"stage2", "stage2.block1"}


def test_an_unknown_block_comes_with_the_nearest() -> None:
    with pytest.raises(CounterstreamError, match=r"unknown block 'stage2.blok1'. Did you mean 'stage2.block1'\?"):
        picture(cs.load("digits_resnet"), opened=["stage2.blok1"])
    with pytest.raises(CounterstreamError, match="this circuit has no blocks"):
        picture(cs.loads(SHARED), opened=["a"])


def test_without_feedback_there_is_one_column() -> None:
    circuit = cs.loads(SHARED)
    assert {box.stream for box in boxes(picture(circuit))} == {"forward"}


def test_lines_run_where_the_projections_do() -> None:
    """A skip leaves its source, keeps off the boxes, and arrives at its target."""
    circuit = cs.load("digits_resnet", learning="kolen_pollack")
    scene = picture(circuit, depth=9)
    found = boxes(scene)
    wires: list[Any] = [item for item in scene.visible if hasattr(item, "points") and "shortcut:" in item.tip]
    assert len(wires) == 2
    for wire in wires:
        lane = min(x for x, _ in wire.points)
        assert all(lane < box.left for box in found)
        start, end = (scene.y(at) for _, at in (wire.points[0], wire.points[-1]))
        assert start in {box.bottom for box in found if box.names[0].endswith("entry")}
        assert end in {box.top for box in found if box.names[0].endswith("sum")}
