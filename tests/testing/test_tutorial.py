"""docs/your-own-rule.md and docs/testing.md, run as a reader runs them, and held to what they show."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream
from counterstream.testing import PROPERTIES

DOCS = Path(counterstream.__file__).parent / "docs"
KINDS = "file|commands|fails|output|python|pytest"
BLOCK = re.compile(rf"^<!-- ({KINDS}): (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the documents are not part of an installed package")


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(kind, name, text) of the marked blocks of a page, in order."""
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


def command(text: str, folder: Path, code: int) -> str:
    """What the one command of a block prints, leaving with this exit code."""
    (line,) = text.splitlines()
    program, *arguments = shlex.split(line)
    assert program == "counterstream"
    done = run("-m", program, *arguments, folder=folder)
    assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(page: str, folder: Path) -> set[str]:
    """Do all that a page says. The kinds of block that were met."""
    printed = dict[str, str]()
    for kind, name, text in blocks(page):
        match kind:
            case "file" | "pytest":
                (folder / name).write_text(text, encoding="utf-8")
            case "commands" | "fails":
                printed[name] = command(text, folder, int(kind == "fails"))
            case "output":
                shown, there = text.splitlines(), printed[name].splitlines()
                assert [line for line in shown if line not in there] == [], printed[name]
            case "python":
                done = run("-c", text, folder=folder)
                assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr
        if kind == "pytest":
            done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", name, folder=folder)
            assert done.returncode == 0, done.stdout
    return {kind for kind, _, _ in blocks(page)}


@pytest.mark.slow
def test_the_tutorial_says_what_happens(tmp_path: Path) -> None:
    assert follow("your-own-rule.md", tmp_path) == set(KINDS.split("|"))
    summary = (tmp_path / "runs" / "digits" / "summary.json").read_text(encoding="utf-8")
    assert "bounded_kolen_pollack" in summary


@pytest.mark.slow
def test_the_page_of_the_laboratory_runs(tmp_path: Path) -> None:
    assert follow("testing.md", tmp_path) == {"python"}


def test_every_block_of_code_is_marked_or_known_not_to_run() -> None:
    page = (DOCS / "your-own-rule.md").read_text(encoding="utf-8")
    assert page.count("\n```") == 2 * len(blocks("your-own-rule.md"))


def test_the_page_names_every_property_with_its_formula_and_parameters() -> None:
    page = (DOCS / "testing.md").read_text(encoding="utf-8")
    for name, known in PROPERTIES.items():
        assert f"- **{name}**: " in page
        assert f"`{known.formula}`" in page
        for field in known.claim.model_fields:
            assert f"`{field}`" in page, f"{name}: {field}"
