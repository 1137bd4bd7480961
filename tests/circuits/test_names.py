"""What may be called what."""

import pytest

from counterstream.circuits import names
from counterstream.circuits.rules import RESERVED_WORDS


@pytest.mark.parametrize("name", ["v1", "_x", "stage1.block2.conv1", "v1~", "a.b~", "ratein"])
def test_populations(name: str) -> None:
    assert names.complaint(name) is None


@pytest.mark.parametrize(
    "name", ["", "1v", "a/b", "a b", "a..b", ".a", "a.", "~", "a~b", "é", "v\u0430", "a\n", "a->b"]
)
def test_no_populations(name: str) -> None:
    assert "must consist of" in str(names.complaint(name))


@pytest.mark.parametrize("word", sorted(RESERVED_WORDS))
def test_reserved_words(word: str) -> None:
    assert "reserved" in str(names.complaint(word))
    assert "reserved" in str(names.complaint(f"a.{word}~"))
    assert "reserved" in str(names.complaint(word, projection=True))
    assert names.parameter_complaint(word)


@pytest.mark.parametrize("name", ["a->b", "1st", "a~->b~", "x.y-z"])
def test_projections(name: str) -> None:
    assert names.complaint(name, projection=True) is None


@pytest.mark.parametrize("name", ["", ".", "..", "-", "a/b", "a b", "a\\b", "é"])
def test_no_projections(name: str) -> None:
    assert names.complaint(name, projection=True)


@pytest.mark.parametrize(
    ("name", "sound"), [("decay", True), ("k_2", True), ("relu", False), ("in", False), ("a.b", False)]
)
def test_parameters(name: str, sound: bool) -> None:
    assert (names.parameter_complaint(name) is None) == sound


def test_derived_names() -> None:
    assert names.partner("v1") == "v1~"
    assert names.reverse(names.arrow("a", "b")) == "a->b~"
