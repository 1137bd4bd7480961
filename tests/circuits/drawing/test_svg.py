"""SVG: well-formed, harmless, the same every time."""

from xml.etree import ElementTree

import pytest

import counterstream as cs
from counterstream.circuits.drawing import as_svg, picture
from counterstream.circuits.drawing.corners import corners
from counterstream.circuits.drawing.style import COLORS
from counterstream.circuits.drawing.svg import number, path

HOSTILE = "</title></style><script>alert(1)</script> & \"quoted\" ]]> <!-- 'x' \ud7ff \U0001f9e0 {braces} %s"
NAMESPACE = "{http://www.w3.org/2000/svg}"


def hostile() -> cs.Circuit:
    """A circuit whose every free text tries to be markup."""
    circuit = cs.load("digits_resnet", learning="kolen_pollack")
    return circuit.model_copy(update={"name": HOSTILE, "description": HOSTILE * 3})


@pytest.mark.parametrize("learning", ["weight_mirror", "sign_symmetry", "direct_feedback_alignment"])
def test_it_is_well_formed_and_has_no_links(learning: str) -> None:
    drawn = as_svg(picture(cs.load("digits_resnet", learning=learning), depth=9))
    root = ElementTree.fromstring(drawn)
    assert root.tag == f"{NAMESPACE}svg"
    assert "href" not in drawn
    assert "url(" not in drawn
    tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "g", "rect", "path", "polygon", "polyline", "text"}


def test_free_text_stays_text() -> None:
    drawn = as_svg(picture(hostile()))
    root = ElementTree.fromstring(drawn)
    assert not list(root.iter(f"{NAMESPACE}script"))
    assert "<script" not in drawn
    title = root.find(f"{NAMESPACE}title")
    assert title is not None
    assert (title.text or "").startswith("Circuit </title></style><script>alert(1)</script>")


def test_it_is_the_same_every_time() -> None:
    first, second = (as_svg(picture(cs.load("digits_resnet", learning="weight_mirror"))) for _ in range(2))
    assert first == second


def test_every_color_has_a_light_and_a_dark_form_and_is_known() -> None:
    drawn = as_svg(picture(cs.load("digits_resnet", learning="weight_mirror")))
    root = ElementTree.fromstring(drawn)
    used = {name for element in root.iter() for name in element.get("class", "").split() if name[:2] in ("f-", "s-")}
    assert used
    assert {name[2:] for name in used} <= set(COLORS)
    assert drawn.count("@media (prefers-color-scheme: dark)") == 1
    assert all(f".{name}{{" in drawn for name in used)


def test_pointing_tells_names_shapes_and_rules() -> None:
    drawn = as_svg(picture(cs.load("digits_resnet", learning="weight_mirror"), depth=9))
    tips = [element.text or "" for element in ElementTree.fromstring(drawn).iter(f"{NAMESPACE}title")]
    assert any(tip.startswith("stage2.block1.hidden: 24 \u00d7 4 \u00d7 4, batch norm, relu") for tip in tips)
    assert any("the reverse of stage2.block1.shortcut" in tip and "r * (post.rate" in tip for tip in tips)


def test_contrast_of_text() -> None:
    """What is read stands out from what is behind it by the 4.5 to 1 that the Web's guidelines ask for."""
    pairs = [("ink", "page"), ("muted", "page"), ("ink", "block_fill"), ("muted", "block_fill"), ("transport", "page")]
    pairs += [(text, fill) for text in ("ink", "muted") for fill in ("forward_fill", "feedback_fill")]
    pairs += [("on_mark", color) for color in COLORS if color.startswith("rule")] + [("on_mark", "transport")]
    pairs += [("forward", "page"), ("feedback", "page"), ("forward", "block_fill"), ("feedback", "block_fill")]
    for text, ground in pairs:
        for one, other in zip(COLORS[text], COLORS[ground], strict=True):
            assert contrast(one, other) >= 4.5, (text, ground, one, other)


def contrast(one: str, other: str) -> float:
    lower, upper = sorted(map(luminance, (one, other)))
    return (upper + 0.05) / (lower + 0.05)


def luminance(color: str) -> float:
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_corners_are_round_and_never_longer_than_half_a_side() -> None:
    start, bends, end = corners([(0, 0), (0, 4), (0, 4), (20, 4)])
    assert (start, end) == ((0, 0), (20, 4))
    assert bends == [((0, 2), (0, 4), (6, 4))]
    assert path([(0, 0), (0, 4), (20, 4)]) == "M0 0L0 2Q0 4 6 4L20 4"


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (1.25, "1.2"), (-0.01, "0"), (100.0, "100"), (-3.06, "-3.1")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text
