"""The README's tour is true: its files load, its commands succeed, its Python runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import counterstream

README = Path(counterstream.__file__).parent / "README.md"
BLOCK = re.compile(r"^<!-- (file|command|commands|python): (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not README.exists(), reason="installed without its repository")


def blocks(kind: str) -> dict[str, str]:
    """The README's marked code blocks of one kind, by name, in order."""
    return {name: text for k, name, text in BLOCK.findall(README.read_text(encoding="utf-8")) if k == kind}


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_commands_that_ci_runs_are_one_line_each_and_need_nothing_before_them() -> None:
    commands = blocks("command")
    assert set(commands) == {"demo", "test"}
    for line in commands.values():
        assert line.count("\n") == 1
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


@pytest.mark.slow
def test_the_tour_runs(tmp_path: Path) -> None:
    for name, text in blocks("file").items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    lines = [line for text in blocks("commands").values() for line in text.splitlines()]
    assert lines
    for line in lines:
        program, *arguments = line.split()
        assert program == "counterstream"
        done = run("-m", program, *arguments, folder=tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    for name, text in blocks("python").items():
        done = run("-c", text, folder=tmp_path)
        assert done.returncode == 0, f"{name}\n{done.stderr}"
        assert done.stdout, f"{name} prints nothing"
