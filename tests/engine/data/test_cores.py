"""Processes that read share a machine's cores among its ranks."""

import pytest

from counterstream.engine.data import cores as module
from counterstream.engine.data.cores import readers


@pytest.mark.parametrize(("there", "ranks", "each"), [(96, 8, 12), (2, 4, 1), (128, 1, 32), (6, None, 6)])
def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch, there: int, ranks: int | None, each: int) -> None:
    monkeypatch.setattr(module, "cores", lambda: there)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    if ranks is not None:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(ranks))
    assert readers() == each
