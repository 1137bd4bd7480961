"""Circuits as text: what is dumped loads to the same, and reads well."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import counterstream as cs
from counterstream.circuits.declarations import LearningSystem
from counterstream.circuits.validation import build
from counterstream.circuits.writing import WIDTH
from counterstream.circuits.yamlfile import read
from counterstream.models import load_learning, stock_circuits, stock_learning
from counterstream.testing.strategies import circuits


@given(circuits())
@settings(max_examples=60)
def test_dump_and_load_are_inverse_in_both_forms(circuit: cs.Circuit) -> None:
    assert cs.loads(cs.dump(circuit)) == circuit
    explicit = cs.expand(circuit)
    assert cs.loads(cs.dump(explicit)) == explicit


@pytest.mark.parametrize("learning", stock_learning())
@pytest.mark.parametrize("name", stock_circuits())
def test_stock_circuits_survive_under_every_system(name: str, learning: str) -> None:
    circuit = cs.load(name, learning=learning)
    assert cs.loads(cs.dump(circuit)) == circuit
    assert cs.loads(cs.dump(cs.expand(circuit))) == cs.expand(circuit)


@pytest.mark.parametrize("name", stock_learning())
def test_learning_systems_survive(name: str) -> None:
    system = load_learning(name)
    assert build(LearningSystem, read(cs.dump(system))) == system


SEEN = st.characters(
    exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""What a text for people may hold, line feeds aside."""


@given(st.text(SEEN | st.just("\n")), st.text(SEEN, min_size=1), st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_and_any_number_survive(text: str, name: str, number: float) -> None:
    system = LearningSystem(name=name, description=text, parameters={"k": number})
    assert build(LearningSystem, read(cs.dump(system))) == system


@pytest.mark.parametrize(
    "text", ["on", "No", "1e-3", "0x1", "12", "2001-01-01", "true", "~", "null", "- a", "a: b", "a #b", "'", '"', "*a"]
)
def test_text_that_reads_as_something_else_is_quoted(text: str) -> None:
    dumped = cs.dump(LearningSystem(name=text))
    assert read(dumped).data["name"] == text
    assert yaml.safe_load(dumped)["name"] == text  # to readers of YAML 1.1 as well


def test_equal_sides_are_one_number_and_defaults_are_left_out() -> None:
    text = """
populations: {x: {input: [1, 8, 9]}, h: {}, y: {}}
projections:
  - {from: x, to: h, wiring: {conv: {channels: 2, kernel: [3, 3], stride: [1, 1], padding: [1, 2], groups: 1}}}
  - {from: h, to: y, wiring: {pool: {kind: max, size: [2, 2]}}, plastic: true}
"""
    assert cs.dump(cs.loads(text)).splitlines()[1:] == [
        "populations:",
        "  x: {input: [1, 8, 9]}",
        "  h: {}",
        "  y: {}",
        "projections:",
        "  - {from: x, to: h, wiring: {conv: {channels: 2, kernel: 3, padding: [1, 2]}}}",
        "  - {from: h, to: y, wiring: {pool: {kind: max, size: 2}}}",
    ]


def test_lines_are_short_enough_to_read() -> None:
    explicit = cs.expand(cs.load("digits_resnet", learning="weight_mirror"))
    lines = [line for line in cs.dump(explicit).splitlines() if "description:" not in line]
    assert max(map(len, lines)) <= WIDTH
