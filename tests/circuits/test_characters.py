"""Characters that are not what they seem."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.circuits.characters import foreign, in_ascii, printable


@given(st.text())
def test_what_is_printable_is_so_and_says_the_same(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown == text
    elif "\\" not in text and all(unicodedata.category(c) != "Cs" for c in text):
        assert shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m", "a\\x1b[31m"),
        ("\u202ev", "\\u202ev"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("é", "é"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("\u0440re.r\u0430te", "pre.rate"),  # Cyrillic
        ("\uff56\uff11", "v1"),  # full width
        ("v\u200b1", "v1"),  # zero width
        ("v\u0301", "v"),  # an accent of its own
        ("\u03bd1", "v1"),  # Greek
        ("a\u2212>b", "a->b"),  # a minus sign
        ("same", "same"),
    ],
)
def test_look_alikes(name: str, looks: str) -> None:
    assert in_ascii(name) == looks
    assert bool(foreign(name)) == (name != looks)


def test_foreign_characters_are_named_each_once_and_not_without_end() -> None:
    assert foreign("\u0430b\u0430") == "'\u0430' is U+0430 CYRILLIC SMALL LETTER A"
    assert foreign("\u03b1\u03b2\u03b3\u03b4").count(" is ") == 3
    assert foreign("\ue000") == "'\\ue000' is U+E000"  # a private one has no name
