"""A run's figures for other programs: as JSON lines and on TensorBoard."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from counterstream.engine.training import EpochReport, ExperimentError, OutputFolder, RunName, StepReport
from counterstream.engine.training.journal import Journal
from counterstream.engine.training.tensorboard import TAGS, TensorBoard

RUN = RunName(system="backprop", seed=3, path=Path("out/backprop-seed3.h5"))


def after(step: int, loss: float = 2.0, wait: float | None = None) -> StepReport:
    return StepReport(
        step=step, steps=90, steps_per_epoch=10, loss=loss, accuracy=0.5, images_per_second=12.0, data_wait_share=wait
    )


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_that_was_cut_short_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.noted("first")
    with path.open("a") as file:
        file.write('{"time": "2026-')
    with Journal(path) as journal:
        journal.noted("second")
    assert [line["text"] for line in lines(path)] == ["first", "second"]


def test_every_line_is_an_object_that_says_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.run_started(RUN, 1, 2, 9)
        journal.step_finished(RUN, after(5, wait=0.25))
        assert len(lines(path)) == 2  # while it is open: a reader may follow
        journal.epoch_finished(
            RUN,
            EpochReport(step=10, epoch=1, epochs=9, loss=math.inf, accuracy=0.5, images_per_second=12.0),
        )
        journal.run_finished(RUN, 0.75, 9.5)
        journal.noted("resumed")
    started, steps, epoch, finished, noted = lines(path)
    assert (started["event"], started["file"], started["runs"]) == ("started", "backprop-seed3.h5", 2)
    assert (steps["system"], steps["seed"], steps["step"], steps["epoch"]) == ("backprop", 3, 5, 0.5)
    assert steps["data_wait_share"] == 0.25
    assert "matrix_angle" not in steps
    assert (epoch["event"], epoch["epoch"], epoch["loss"]) == ("epoch", 1, None)
    assert finished["test_accuracy"] == 0.75
    assert (noted["text"], "system" in noted) == ("resumed", False)


def test_a_run_that_goes_on_appends_and_pandas_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for first in (1, 3):
        with Journal(path) as journal:
            for step in range(first, first + 3):
                journal.step_finished(RUN, after(step, loss=10.0 * first + step))
    frame = pd.read_json(path, lines=True)
    latest = frame[frame["event"] == "steps"].drop_duplicates("step", keep="last")
    assert latest["step"].tolist() == [1, 2, 3, 4, 5]
    assert latest["loss"].tolist() == [11, 12, 33, 34, 35]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot be written"):
        Journal(tmp_path / "gone" / "metrics.jsonl")


@pytest.mark.slow  # tensorboard alone takes seconds to import
def test_tensorboard_shows_what_was_measured_and_forgets_what_is_done_again(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    output = OutputFolder(tmp_path)
    for steps in ((1, 2, 3), (2, 3, 4)):  # taken up at step 2
        with TensorBoard(output) as board:
            board.run_started(RUN, 1, 1, 9)
            for step in steps:
                board.step_finished(RUN, after(step, loss=float(10 * steps[0] + step), wait=0.5))
    folder = tmp_path / "backprop-seed3.tensorboard"
    events = accumulator.EventAccumulator(str(folder)).Reload()
    assert [(event.step, event.value) for event in events.Scalars(TAGS["loss"])] == [(1, 11), (2, 22), (3, 23), (4, 24)]
    assert TAGS["data_wait_share"] in events.Tags()["scalars"]
    assert TAGS["top5_accuracy"] not in events.Tags()["scalars"]
    OutputFolder(tmp_path, overwrite=True)
    assert not folder.exists()


def test_tensorboard_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ExperimentError, match=r'pip install "counterstream\[tensorboard\]"'):
        TensorBoard(OutputFolder(tmp_path))
