"""What goes wrong in saving, as every process of a company hears of it."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from counterstream.engine.simulator import compile as compile_
from counterstream.engine.training import checkpoints as module
from counterstream.engine.training.checkpoints import Checkpoints
from counterstream.engine.training.company import Company, RankZeroFailed
from counterstream.engine.training.errors import CheckpointError
from counterstream.engine.training.interruption import Interruption
from counterstream.engine.training.keeping import Keeping
from counterstream.engine.training.saving import Saver
from counterstream.models.library import loads

from .small import CIRCUIT


@dataclass
class Line:
    """What rank 0 has said, which the other rank, asked afterwards, hears in turn."""

    rank: int
    said: list[Any]
    size: int = 2
    heard: int = field(default=0, init=False)

    def hear(self, said: Any) -> Any:
        if self.rank == 0:
            self.said.append(said)
        self.heard += 1
        return self.said[self.heard - 1]


def written() -> "Future[None]":
    future: Future[None] = Future()
    future.set_result(None)
    return future


def test_a_checkpoint_that_failed_once_all_agreed_fails_every_rank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> None:
        raise CheckpointError("the disk is full")

    monkeypatch.setattr(module, "save", fails)
    checkpoints = Checkpoints(tmp_path, {}, keep=1)
    sim, said = compile_(loads(CIRCUIT)), []
    lines = [Line(rank, said) for rank in range(2)]
    first, second = (
        Saver(Keeping(), kept, Company(line), Interruption())  # type: ignore[arg-type]
        for kept, line in zip((checkpoints, None), lines, strict=True)
    )
    for saver in (first, second):
        saver.save(sim, 1, dict, written)
    with pytest.raises(CheckpointError, match=r"^the disk is full$"):
        first.save(sim, 2, dict, written)
    with pytest.raises(RankZeroFailed, match=r"^rank 0: the disk is full$"):
        second.save(sim, 2, dict, written)
    assert [line.heard for line in lines] == [2, 2]
