"""The checkpoints of a run: how many stay, which one is best, and that one follows the records of its state."""

import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from counterstream.engine.recorder import About, Metrics, Recorder, RecordingError
from counterstream.engine.simulator import Simulator
from counterstream.engine.simulator import compile as compile_
from counterstream.engine.training import checkpoints as module
from counterstream.engine.training.checkpoints import Checkpoints
from counterstream.engine.training.errors import CheckpointError
from counterstream.models.library import loads

from .small import CIRCUIT

IDENTITY = {"seed": 0, "batch": 8}


@pytest.fixture(scope="module")
def sim() -> Simulator:
    return compile_(loads(CIRCUIT))


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    found = Checkpoints(tmp_path / "a.checkpoints", IDENTITY, keep=2)
    found.prepare()
    return found


def passed() -> "Future[None]":
    future: Future[None] = Future()
    future.set_result(None)
    return future


def names(kept: Checkpoints) -> list[str]:
    return sorted(path.name for path in kept.folder.iterdir())


def test_the_last_and_the_best_stay(kept: Checkpoints, sim: Simulator) -> None:
    for step, best in ((1, None), (2, 2), (3, 2), (4, 2), (5, 2)):
        kept.save(sim, step, {"a": step}, passed(), best)
    kept.finish()
    assert names(kept) == ["best.pt", "step-000000002.pt", "step-000000004.pt", "step-000000005.pt"]
    assert (kept.folder / "best.pt").resolve().name == "step-000000002.pt"
    kept.save(sim, 6, {"a": 6}, passed(), 6)
    kept.finish()
    assert names(kept) == ["best.pt", "step-000000005.pt", "step-000000006.pt"]
    found = kept.newest(pytest.fail)
    assert found is not None
    assert (found.step, found.progress) == (6, {"a": 6})


def test_a_checkpoint_is_a_copy(kept: Checkpoints, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on while it is written; and the memory of the one before is taken again, once that is written."""
    goes_on = threading.Event()
    write = module.save
    monkeypatch.setattr(module, "save", lambda *given: (goes_on.wait(10), write(*given)))
    before = sim.state_dict()
    kept.save(sim, 1, {}, passed(), None)
    sim.step(np.ones((4, 1, 4, 4), np.float32), np.array([0, 1, 0, 1]))
    goes_on.set()
    kept.finish()
    found = kept.newest(pytest.fail)
    assert found is not None
    assert found.state.keys() == before.keys()
    assert all(found.state[name].tobytes() == array.tobytes() for name, array in before.items())
    assert any((sim.state_dict()[name] != array).any() for name, array in before.items())


def test_it_waits_for_the_records_of_its_state(kept: Checkpoints, sim: Simulator) -> None:
    confirmed: Future[None] = Future()
    kept.save(sim, 1, {}, confirmed, None)
    assert not kept.failed
    assert names(kept) == []
    confirmed.set_result(None)
    kept.finish()
    assert names(kept) == ["step-000000001.pt"]


def test_records_that_fail_fail_the_checkpoint(kept: Checkpoints, sim: Simulator, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.h5", About(circuit="", circuit_name="", learning="", seed=0))
    recorder.enrol(Metrics(["loss"])).prepare()
    assert recorder.mark().result(timeout=10) is None
    recorder._writer._file.append = lambda records: 1 / 0  # type: ignore[union-attr, method-assign]
    recorder.write(step=1, epoch=1.0, metrics={"loss": 0.0})
    try:
        confirmed = recorder.mark()
    except RecordingError as error:  # the writer was quicker
        confirmed = Future()
        confirmed.set_exception(error)
    kept.save(sim, 1, {}, confirmed, None)
    with pytest.raises(RecordingError, match="recording stopped, metrics of step 1"):
        kept.finish()
    assert names(kept) == []


def test_what_went_wrong_is_raised_later(kept: Checkpoints, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise CheckpointError("the disk is full")

    monkeypatch.setattr(module, "save", fails)
    kept.save(sim, 1, {}, passed(), None)
    with pytest.raises(CheckpointError, match="the disk is full"):
        kept.save(sim, 2, {}, passed(), None)
    kept.finish()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"file/a: the folder of checkpoints cannot be made \(Not a directory\)"):
        Checkpoints(tmp_path / "file" / "a", IDENTITY, keep=1).prepare()


def test_another_run_is_refused(kept: Checkpoints, sim: Simulator) -> None:
    kept.save(sim, 1, {}, passed(), None)
    kept.finish()
    other = Checkpoints(kept.folder, {"seed": 1, "batch": 8}, keep=2)
    with pytest.raises(CheckpointError, match=r"of another run and is left as it is: it has seed 0 \(now 1\)"):
        other.newest(pytest.fail)
    assert names(kept) == ["step-000000001.pt"]


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    nothing = Checkpoints(tmp_path / "none", IDENTITY, keep=1)
    assert not nothing.exist
    assert nothing.newest(pytest.fail) is None
