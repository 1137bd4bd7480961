"""Widths of text, against the font itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.circuits.drawing.metrics import ROUNDING, cut, width, wrapped


@pytest.mark.parametrize(
    "text", ["stage2.block1.hidden", "3\u00d73 conv, stride 2, 64 \u2192 128", "W\u1d40 \u2212 \u00d7", "~WiI_"]
)
@pytest.mark.parametrize("style", ["bold", "mono", ""])
def test_widths_are_those_of_the_font(text: str, style: str) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath, text_to_path

    del TextPath
    family = "DejaVu Sans Mono" if style == "mono" else "DejaVu Sans"
    font = FontProperties(family=family, weight="bold" if style == "bold" else "normal", size=12)
    measured, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    ours = width(text, 12, bold=style == "bold", mono=style == "mono")
    assert measured * 0.98 <= ours <= measured * 1.12 + 4


@given(st.text(max_size=40), st.floats(12, 400))
def test_cut_text_fits(text: str, room: float) -> None:
    short = cut(text, 11, room)
    assert width(short, 11) <= room + ROUNDING
    assert short == text or "\u2026" in short


@given(st.text(max_size=30), st.floats(0, 500))
def test_a_text_is_not_cut_for_a_room_of_its_own_width(text: str, left: float) -> None:
    assert cut(text, 11, left + width(text, 11) - left) == text


def test_cut_keeps_both_ends() -> None:
    assert cut("stage2.block1.hidden", 12, 90) == "stage2\u2026idden"


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_characters=","), min_size=1, max_size=20), max_size=8),
    st.floats(30, 300),
)
def test_wrapped_lines_fit(parts: list[str], room: float) -> None:
    assert all(width(line, 11) <= room + ROUNDING for line in wrapped(parts, 11, room))


def test_wrapping_joins_what_fits_and_breaks_what_does_not() -> None:
    assert wrapped(["3x3 conv", "stride 2", "64 to 128"], 10, 110) == ["3x3 conv, stride 2", "64 to 128"]
    assert wrapped(["reverse of global average pool"], 10, 80) == ["reverse of", "global average", "pool"]
