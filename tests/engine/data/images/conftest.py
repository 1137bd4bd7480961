"""A small folder of real JPEGs in ImageNet's layout, and a cache of indices that nobody else sees."""

from pathlib import Path

import pytest

from counterstream.engine.data.fractals import Plan, write
from counterstream.engine.data.images.index import CACHE

PLAN = Plan(classes=3, train=6, val=3, size=28, seed=7)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes, 6 images each to train on and 3 to validate on. To be read, not changed."""
    made = tmp_path_factory.mktemp("images") / "fractals"
    write(made, PLAN)
    return made


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path_factory.getbasetemp() / "cache"))
