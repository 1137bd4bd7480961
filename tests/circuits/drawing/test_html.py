"""The web page: one file, harmless, and its script lays out what Python would."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import counterstream as cs
from counterstream.circuits.drawing import as_html, picture

from .test_svg import HOSTILE, hostile

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


class Page(HTMLParser):
    """The elements of a page, and its data for the script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside = ""
        self.scene = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = "scene" if dict(attrs).get("id") == "scene" else ""

    def handle_data(self, data: str) -> None:
        if self.inside == "scene":
            self.scene += data

    def seen(self) -> dict[str, dict[str, str | None]]:
        """Number of an item that is seen -> its attributes."""
        found = {str(a["data-item"]): a for _, a in self.elements if "data-item" in a}
        return {key: a for key, a in found.items() if "display" not in (a.get("style") or "")}


def page(**given: Any) -> str:
    return as_html(picture(cs.load("digits_resnet", learning="weight_mirror"), foldable=True, **given))


def test_it_needs_nothing_but_itself() -> None:
    elements = Page(page()).elements
    assert not [attributes for _, attributes in elements if {"src", "href", "srcset"} & attributes.keys()]
    assert "default-src 'none'" in page()
    assert [tag for tag, _ in elements].count("script") == 2


def test_free_text_stays_text() -> None:
    text = as_html(picture(hostile(), foldable=True))
    assert "<script>alert" not in text
    assert HOSTILE not in text
    assert [tag for tag, _ in Page(text).elements].count("script") == 2


def test_its_data_are_json_with_a_place_for_every_item() -> None:
    found = Page(page())
    data = json.loads(found.scene)
    numbers = [int(str(a["data-item"])) for _, a in found.elements if "data-item" in a]
    assert numbers == list(range(len(data["items"])))


def test_blocks_are_buttons_that_say_whether_they_are_open() -> None:
    buttons = [a for _, a in Page(page()).elements if "data-toggles" in a]
    assert {a["role"] for a in buttons} == {"button"}
    assert {a["tabindex"] for a in buttons} == {"0"}
    assert {a["aria-expanded"] for a in buttons} == {"true", "false"}
    assert {"Open stage2", "Close stage2", "Open stage2.block1"} <= {a["aria-label"] for a in buttons}


def test_what_is_closed_is_hidden_without_a_script() -> None:
    opened, closed = Page(page(depth=9)), Page(page(depth=0))
    assert len(closed.seen()) < len(opened.seen()) / 3
    assert len(closed.elements) == len(opened.elements)


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
def test_the_script_lays_out_what_python_does(tmp_path: Path) -> None:
    """Closed at first; opened by a click and by a key, the page is the one that Python makes with those blocks open."""
    driver = """<script>
    const all = [...document.querySelectorAll("[aria-label]")];
    const named = (name) => all.find((e) => e.ariaLabel === name && e.style.display !== "none");
    named("Open stage2").dispatchEvent(new MouseEvent("click", {bubbles: true}));
    named("Open stage2.block1").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
    document.title = document.activeElement.getAttribute("aria-label");
    </script>"""
    file = tmp_path / "page.html"
    file.write_text(page(depth=0).replace("</body>", f"{driver}</body>"), encoding="utf-8")
    shown = browse(file, tmp_path)
    made = page(depth=0, opened=["stage2.block1"])
    assert "<title>Close stage2.block1</title>" in shown
    theirs, ours = Page(shown).seen(), Page(made).seen()
    assert theirs.keys() == ours.keys()
    for key, wanted in ours.items():
        for name in ("transform", "d", "y", "height"):
            assert numbers(theirs[key].get(name)) == pytest.approx(numbers(wanted.get(name)), abs=0.11)
    heights = [float(str(a["height"])) for text in (shown, made) for tag, a in Page(text).elements if tag == "svg"]
    assert heights[0] == pytest.approx(heights[1], abs=0.11)


def numbers(text: str | None) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text or "")]


def browse(file: Path, folder: Path) -> str:
    """The page's document after its scripts have run."""
    quiet = "--disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    done = subprocess.run(
        [
            *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", *quiet.split()),
            *(f"--user-data-dir={folder / 'browser'}", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout
