"""One checkpoint: what is written is read, all of it or nothing is there, and nothing in it is executed."""

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from counterstream.engine.training import checkpoint as module
from counterstream.engine.training.checkpoint import MAGIC, Checkpoint, load, save
from counterstream.engine.training.errors import CheckpointError

STATE = {"weights/a->b": np.arange(6, dtype=np.float32).reshape(2, 3), "steps/engaged": np.asarray(7)}
PROGRESS = {"recorded_step": None, "since": {"steps": 2, "losses": 0.1}, "durations": [{"mode": "", "recent": [0.5]}]}


def made(**changes: object) -> Checkpoint:
    plain = {"step": 7, "identity": {"seed": 0, "batch": 8}, "progress": PROGRESS, "state": STATE}
    return Checkpoint(**(plain | changes))  # type: ignore[arg-type]


@given(array=arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64]), arrays.array_shapes(max_side=4)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "a.pt"
    save(made(state={"x": array}), path)
    found = load(path)
    assert (found.step, found.identity, found.progress) == (7, {"seed": 0, "batch": 8}, PROGRESS)
    assert found.state["x"].dtype == array.dtype
    assert found.state["x"].tobytes() == array.tobytes()
    assert found.state["x"].shape == array.shape


def full_disk(*given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "a.pt"
    save(made(), path)
    monkeypatch.setattr(module.os, call, full_disk)
    with pytest.raises(CheckpointError, match=r"a\.pt: the checkpoint cannot be written \(No space left on device\)"):
        save(made(step=8), path)
    assert load(path).step == 7
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    (tmp_path / ".a.pt.tmp").symlink_to("/dev/full")
    with pytest.raises(CheckpointError, match="No space left on device"):
        save(made(), path)
    assert list(tmp_path.iterdir()) == []


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the checkpoint cannot be written"):
        save(made(), tmp_path / "none" / "a.pt")


@given(cut=st.integers(0, 2000))
def test_half_a_checkpoint_is_none(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "a.pt"
    save(made(), path)
    content = path.read_bytes()
    path.write_bytes(content[: min(cut, len(content) - 1)])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(path)


def test_a_bit_that_flipped_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save(made(), path)
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(5).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"cannot be read \((weights/a->b is not what was written|it is trunc)"):
        load(path)


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harm",)


def test_nothing_in_it_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"magic": MAGIC, "state": Harmful()}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Harmful()))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(CheckpointError, match="it is truncated, or no checkpoint"):
            load(tmp_path / name)
    assert not (tmp_path / "harm").exists()


def test_what_is_none_of_ours(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="must be a checkpoint of Counterstream"):
        load(tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"cannot be read \(No such file"):
        load(tmp_path / "b.pt")


def test_a_later_format_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORMAT", 2)
    save(made(), tmp_path / "a.pt")
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"format must be 1 \(got 2\)\. Use the version that wrote it"):
        load(tmp_path / "a.pt")
