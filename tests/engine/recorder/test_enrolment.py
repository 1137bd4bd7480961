"""What can be recorded and what cannot, by the text of the errors; and the life of a recorder out of its order."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counterstream.engine.recorder import (
    Alignment,
    Metrics,
    Recordable,
    Recorder,
    RecordingError,
    Signal,
    Signals,
    Weights,
)

from . import samples


def one(**changes: Any) -> Weights:
    return Weights([samples.synapse("v1->digit", **changes)])


def signals(**changes: Any) -> Signals:
    declared: dict[str, Any] = {"population": "v1", "shape": (6,)}
    return Signals([Signal(**(declared | changes))], samples=[1, 2])


@pytest.mark.parametrize(
    ("recordable", "message"),
    [
        (one(projection="a/b"), "projection 'a/b': a recorded name must not"),
        (one(projection="step"), "projection 'step': the recording keeps"),
        (Metrics(["epoch"]), "metric 'epoch': the recording keeps this name for its own coordinate"),
        (Alignment({}, ["."]), "population '.': a recorded name must not be empty or '.'"),
        (Alignment({"": "b"}), "projection '': a recorded name must not be empty or '.'"),
        (Metrics(["loss", "loss"]), "metric 'loss': recorded names must be unique (got it 2 times)"),
        (one(shape=(0, 3)), "shape must list positive sizes (got (0, 3))"),
        (
            Weights([samples.synapse("v1->digit"), samples.synapse("v1->digit~", shape=(6, 10))]),
            "the reverse of 'v1->digit' must have its shape (10, 6) (got (6, 10))",
        ),
        (one(unseen=np.ones((3,), bool)), "unseen must be boolean and broadcast to (10, 6) (got (3,))"),
        (signals(population="sample"), "population 'sample': the recording keeps this name"),
        (signals(shape=()), "population 'v1': shape must list positive sizes (got ())"),
        (signals(what=[]), "population 'v1': what must list rate, delta or both (got [])"),
        (Signals([Signal(population="v1", shape=(6,))]), "samples must list the probe's samples, each once"),
        (Signals([], samples=[1, 2], labels=[0]), "labels must be as many as samples, 2 (got 1)"),
        (Weights([], precision="bfloat"), "precision 'bfloat': Did you mean 'bfloat16'?"),  # type: ignore[arg-type]
        (Weights([], compression="zip"), "compression 'zip': Did you mean 'gzip'?"),  # type: ignore[arg-type]
        (Signals([], compression="zstd"), "compressions: none, gzip, lzf, blosc2"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_recorded_is_refused(tmp_path: Path, recordable: Recordable, message: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(message)):
        Recorder(tmp_path / "run.h5", samples.about()).enrol(recordable)
    assert not list(tmp_path.iterdir())


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecordingError) as caught:
        Recorder(tmp_path / "run.h5", samples.about()).enrol(Metrics(["step", "a/b"]))
    assert len(str(caught.value).splitlines()) == 2


def test_a_filter_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hdf5plugin", None)  # its import then fails
    with pytest.raises(RecordingError, match=r"'blosc2' needs the package hdf5plugin.*pip install hdf5plugin"):
        Recorder(tmp_path / "run.h5", samples.about()).enrol(Weights([], compression="blosc2"))


def test_its_life_has_an_order(tmp_path: Path) -> None:
    recorder = samples.recorder(tmp_path / "run.h5", Metrics(["loss"]))
    assert not (tmp_path / "run.h5").exists()  # enrolling touches nothing
    with pytest.raises(RecordingError, match=r"not prepared: call prepare\(\) or resume\(\) first"):
        recorder.write(step=0, epoch=0, metrics={})
    with pytest.raises(RecordingError, match="metrics are enrolled already"):
        recorder.enrol(Metrics(["accuracy"]))
    recorder.prepare()
    with pytest.raises(RecordingError, match="enrol before the recording is prepared"):
        recorder.enrol(Weights([]))
    with pytest.raises(RecordingError, match="weights were not enrolled, so the file has no place for them"):
        recorder.write(step=0, epoch=0, weights={})
    recorder.close()
    recorder.close()
    with pytest.raises(RecordingError, match="the recording is closed"):
        recorder.write(step=0, epoch=0, metrics={})


def test_buffers_are_what_the_recorder_says(tmp_path: Path) -> None:
    """Two sets of float32 for weights and for signals, rounded to fewer bits by the writer alone."""
    numbers = sum(np.prod(array.shape) for array in samples.weights(0).values())
    numbers += sum(array.size for own in samples.signals(0).values() for array in own.values())
    for precision, size in (("float32", 4), ("bfloat16", 4), ("float64", 8)):
        recorder = samples.recorder(tmp_path / f"{precision}.h5", *samples.everything(precision=precision))
        with recorder.prepare():
            assert recorder.memory == 2 * size * numbers
