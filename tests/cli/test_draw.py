"""`draw`: pictures of circuits."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import counterstream as cs
from counterstream.circuits.drawing import as_svg, picture
from counterstream.circuits.errors import CounterstreamError
from counterstream.cli.app import app

from .commands import counterstream

FIGURES = Path(cs.__file__).parent / "docs" / "figures"


def draw(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["draw", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stdout


def test_svg_by_default_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = draw("digits_resnet", "--learning", "kolen_pollack")
    assert [file.name for file in tmp_path.iterdir()] == ["digits_resnet.svg"]
    assert said.startswith("Written to digits_resnet.svg")
    assert said.endswith("Next: counterstream check digits_resnet --learning kolen_pollack\n")


@pytest.mark.parametrize(
    ("name", "start"), [("x.svg", b"<?xml"), ("x.PNG", b"\x89PNG"), ("x.html", b"<!DOCTYPE html>")]
)
def test_the_name_says_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    draw("mlp", "-o", tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_blocks_open_by_name_and_by_depth(tmp_path: Path) -> None:
    for name, more in {"a": (), "b": ("--expand", "stage2.block1"), "c": ("--depth", 9), "d": ("--depth", 0)}.items():
        draw("digits_resnet", "-o", tmp_path / f"{name}.svg", *more)
    size = {file.stem: float(ElementTree.parse(file).getroot().get("height", "")) for file in tmp_path.glob("*.svg")}
    assert size["d"] < size["a"] < size["b"] < size["c"]


def test_options_of_the_circuit(tmp_path: Path) -> None:
    said = draw("digits_resnet", "--option", "classes=7", "--option", "size=[1, 8, 8]", "-o", tmp_path / "x.svg")
    assert said.endswith("Next: counterstream check digits_resnet --option classes=7 --option 'size=[1, 8, 8]'\n")
    assert "dense, 48 \u2192 7" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def refusal(*arguments: object) -> str:
    """What a command says that leaves with exit code 2."""
    error = CliRunner().invoke(app, ["draw", *map(str, arguments)]).exception
    assert isinstance(error, CounterstreamError)
    return str(error)


def test_what_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    there = tmp_path / "there.svg"
    there.write_text("mine")
    assert "must end in .svg, .png, .html (got '.pdf')" in refusal("mlp", "-o", tmp_path / "x.pdf")
    assert "there.svg: the file exists" in refusal("mlp", "-o", there)
    assert "cannot be written" in refusal("mlp", "-o", tmp_path / "no" / "x.svg")
    assert there.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["there.svg"]


def test_an_unknown_block_leaves_with_exit_code_2_and_no_file(tmp_path: Path) -> None:
    done = counterstream("draw", "digits_resnet", "--expand", "stag2", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("unknown block 'stag2'. Did you mean 'stage2'? blocks: stage1, stage2, stage3")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not FIGURES.exists(), reason="the documents are not part of an installed package")
@pytest.mark.parametrize("name", ["digits_resnet", "resnet50"])
def test_the_figures_of_the_documents_are_current(name: str) -> None:
    """If this fails on purpose, remove the figure, then
    counterstream draw NAME --learning weight_mirror -o docs/figures/NAME.svg
    """
    drawn = as_svg(picture(cs.load(name, learning="weight_mirror")))
    assert (FIGURES / f"{name}.svg").read_text(encoding="utf-8") == drawn
