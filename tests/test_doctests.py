"""The examples in docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import counterstream

ROOT = Path(counterstream.__file__).parent
FOLDERS = ("circuits", "models", "engine", "analysis", "bench", "cli")


def modules_with_examples() -> list[str]:
    """Names of the modules that hold a doctest, without importing any."""
    files = (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))
    return [
        ".".join(("counterstream", *file.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for file in files
        if ">>> " in file.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(name: str) -> None:
    results = doctest.testmod(import_module(name))
    assert results.attempted, "a >>> that doctest does not find never runs"
    assert results.failed == 0
