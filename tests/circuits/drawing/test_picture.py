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
from counterstream.circuits.drawing.scene import Group, Rectangle, Scene, Text
from counterstream.circuits.errors import CounterstreamError
from counterstream.circuits.yamlfile import Document
from counterstream.models import stock_circuits, stock_learning
from counterstream.models.library import load_document

from ...strategies import circuits, declared
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
        assert red == (learning in ("backprop", "sign_symmetry"))


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
