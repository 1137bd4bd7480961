"""docs/architecture.md names every source file of the package, in the section of its folder."""

import re
from pathlib import Path

import pytest

import counterstream

ROOT = Path(counterstream.__file__).parent
SECTIONS = {
    "circuits": 1,
    "engine/compiler": 2,
    "engine/backends": 3,
    "engine": 4,
    "analysis": 5,
    "models": 6,
    "bench": 6,
    "testing": 7,
    "cli": 6,
}
"""Folder -> number of its section; a folder within another stands before it."""


def package_files() -> list[str]:
    """Every source file that is neither a package's list of names nor an entry point."""
    files = (
        file
        for folder in ("circuits", "engine", "analysis", "models", "bench", "testing", "cli")
        for file in (ROOT / folder).rglob("*.py")
    )
    return sorted(file.relative_to(ROOT).as_posix() for file in files if not file.name.startswith("__"))


def unnamed(text: str, files: list[str]) -> list[str]:
    """The files that the section of their folder does not name in backticks (or, for one, in its heading)."""
    sections = {int(number): body for number, body in re.findall(r"^## (\d)\. (.*?)(?=^## |\Z)", text, re.M | re.S)}
    found = []
    for file in files:
        body = sections[next(number for folder, number in SECTIONS.items() if file.startswith(f"{folder}/"))]
        if f"`{Path(file).name}`" not in body and file not in body.splitlines()[0]:
            found.append(file)
    return found


def document() -> str:
    path = ROOT / "docs" / "architecture.md"
    if not path.exists():
        pytest.skip("the documents are not part of an installed package")
    return path.read_text(encoding="utf-8")


def test_every_file_is_named() -> None:
    assert len(package_files()) > 50
    assert unnamed(document(), package_files()) == []


def test_every_file_that_is_named_exists() -> None:
    names = {Path(file).name for file in package_files()} | {"__init__.py"}
    assert set(re.findall(r"`([\w]+\.py)`", document())) <= names


def test_a_file_in_another_section_is_not_named() -> None:
    text = "## 1. circuits/\n`a.py`\n## 2. engine/compiler/\n`b.py`\n"
    assert unnamed(text, ["circuits/a.py", "circuits/b.py", "engine/compiler/a.py"]) == [
        "circuits/b.py",
        "engine/compiler/a.py",
    ]
