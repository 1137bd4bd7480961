"""A run that was interrupted, however, and taken up again is the run that was not: to the last bit."""

import json
import signal
from pathlib import Path
from typing import Any

import h5py
import pytest

from counterstream.engine.training import (
    CheckpointError,
    EpochReport,
    Finished,
    Interrupted,
    OutputFolder,
    RunName,
    Silent,
    Terminated,
    run_experiment,
)
from counterstream.engine.training.loop import Training
from counterstream.models.library import stock_learning

from .processes import PLAIN, alone, dying, run, together
from .resuming import KEYS, assert_same, resumptions
from .small import prepared, save, save_data

SYSTEMS = sorted(stock_learning())


class Listening(Silent):
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.validations: dict[int, float | None] = {}
        """By epoch."""

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def epoch_finished(self, run: RunName, report: EpochReport) -> None:
        self.validations[report.epoch] = report.validation_accuracy


def stopped(
    folder: Path, number: int = signal.SIGTERM, *, learning: str = "backprop", validation: bool = False, **keys: str
) -> Path:
    """The folder of a run that was signalled after step 12 of 20, and ended after the next one."""
    ready, finished = prepared(folder, learning=learning, validation=validation, **(KEYS | keys)), Finished()
    train = Training._train

    def train_and_signal(self: Training, *given: Any) -> Any:
        word = train(self, *given)
        if self.step == 12:
            signal.raise_signal(number)
        return word

    error = Terminated if number == signal.SIGTERM else Interrupted
    message = r"interrupted during .*, seed 0\. 0 finished runs are .* Go on with --resume"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_train", train_and_signal)
        with pytest.raises(error, match=message):
            run_experiment(ready, OutputFolder(folder / "out"), finished=finished)
    assert finished.paths == []
    return folder / "out"


def resumed(folder: Path, **keys: str) -> tuple[Path, list[str]]:
    listening = Listening()
    ready = prepared(folder, **(KEYS | keys))
    finished = run_experiment(ready, OutputFolder.begun(folder / "out"), progress=listening, resume=True)
    return finished.paths[0], listening.notes


def straight(folder: Path, learning: str) -> Path:
    return run_experiment(prepared(folder, learning=learning, **KEYS), OutputFolder(folder / "straight")).paths[0]


def test_an_epoch_taken_up_reports_what_was_measured_earlier_in_it(tmp_path: Path) -> None:
    """Its one validation is of step 12, and the run was stopped in step 13."""
    keys = {"record": "{probe: 16, metrics: {when: {steps: 6}}}"}
    ends = []
    for way in ("stopped", "straight"):
        (folder := tmp_path / way).mkdir()
        listening, ready = Listening(), prepared(folder, validation=True, **(KEYS | keys))
        output = (
            OutputFolder(folder / "out")
            if way == "straight"
            else OutputFolder.begun(stopped(folder, validation=True, **keys))
        )
        run_experiment(ready, output, progress=listening, resume=way == "stopped")
        ends.append({epoch: listening.validations[epoch] for epoch in (3, 4)})
    assert ends[0] == ends[1]
    assert None not in ends[0].values()


@pytest.mark.parametrize("learning", ["kolen_pollack", "weight_mirror"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on(tmp_path: Path, learning: str, number: int) -> None:
    folder = stopped(tmp_path, number, learning=learning)
    assert {path.name for path in folder.glob("*.checkpoints/*")} == {"step-000000010.pt", "step-000000013.pt"}
    path, _ = resumed(tmp_path, learning=learning)
    assert resumptions(path) == 1
    assert_same(path, straight(tmp_path, learning))


def test_finished_runs_stay_and_others_begin(tmp_path: Path) -> None:
    run_experiment(prepared(tmp_path, **KEYS), OutputFolder(tmp_path / "out"))
    before = (tmp_path / "out/backprop-seed0.h5").read_bytes()
    more, watching = prepared(tmp_path, **KEYS, seeds="[0, 1]"), Listening()
    finished = run_experiment(more, OutputFolder.begun(tmp_path / "out"), progress=watching, resume=True)
    assert [path.name for path in finished.paths] == ["backprop-seed0.h5", "backprop-seed1.h5"]
    assert watching.notes == ["backprop, seed 0: finished before"]
    assert (tmp_path / "out/backprop-seed0.h5").read_bytes() == before
    kept, new = finished.outcomes.values()
    assert (kept.steps, kept.test_top5_accuracy) == (20, None)
    assert kept.test_accuracy == pytest.approx(new.test_accuracy, abs=0.2)


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_the_one_before_a_damaged_checkpoint_is_taken(tmp_path: Path, damage: str) -> None:
    folder = stopped(tmp_path) / "backprop-seed0.checkpoints"
    newest = folder / "step-000000013.pt"
    content = bytearray(newest.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    else:
        at = content.index(b"data/0") + 100  # in the first array
        content[at] ^= 1
    newest.write_bytes(content)
    path, notes = resumed(tmp_path)
    assert [note for note in notes if f"{newest}: the checkpoint cannot be read" in note and "one before" in note]
    assert not newest.exists()
    assert_same(path, straight(tmp_path, "backprop"))


def test_a_run_whose_checkpoints_are_all_damaged_is_left_as_it_is(tmp_path: Path) -> None:
    """Its recording may be of days."""
    folder = stopped(tmp_path)
    for path in folder.glob("backprop-seed0.checkpoints/step-*"):
        path.write_bytes(b"")
    before = (folder / "backprop-seed0.h5").read_bytes()
    with pytest.raises(CheckpointError, match=r"one of the checkpoints must be readable to go on \(none is\)"):
        resumed(tmp_path)
    assert (folder / "backprop-seed0.h5").read_bytes() == before


def test_without_any_checkpoint_the_run_begins_anew(tmp_path: Path) -> None:
    for path in (stopped(tmp_path) / "backprop-seed0.checkpoints").glob("step-*"):
        path.unlink()
    path, notes = resumed(tmp_path)
    assert "there is no checkpoint to go on from; the run begins anew" in notes[-1]
    assert resumptions(path) == 0
    assert_same(path, straight(tmp_path, "backprop"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"epochs": "5"}, "it has epochs 4 (now 5)"),
        ({"batch": "10"}, "it has batch 8 (now 10)"),
        ({"consolidation": "{rate: 0.2, momentum: 0.9, schedule: cosine}"}, "consolidation.rate 0.1 (now 0.2)"),
        ({"circuit": KEYS["circuit"].replace("channels: 3", "channels: 4")}, "it has another circuit"),
        ({"record": "{probe: 15}"}, "record.probe 16 (now 15)"),
    ],
)
def test_another_run_is_refused_and_left_as_it_is(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    folder = stopped(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError) as caught:
        resumed(tmp_path, **keys)
    assert message in str(caught.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_finished_run_of_other_settings_is_refused(tmp_path: Path) -> None:
    run_experiment(prepared(tmp_path, **KEYS), OutputFolder(tmp_path / "out"))
    with pytest.raises(CheckpointError, match=r"another run, which is finished .* it has batch 8 \(now 10\)"):
        resumed(tmp_path, batch="10")


def test_what_does_not_change_the_run_may_change(tmp_path: Path) -> None:
    stopped(tmp_path)
    path, _ = resumed(tmp_path, name="other", checkpoint="{every: {epochs: 3}, keep: 1}", threads="2")
    assert resumptions(path) == 1


def test_checkpoints_without_their_recording_are_kept(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    (folder / "backprop-seed0.h5").unlink()
    with pytest.raises(CheckpointError, match=r"must have their recording .* beside them"):
        resumed(tmp_path)
    assert list(folder.glob("*.checkpoints/step-*"))


def test_a_recording_that_lacks_records_is_refused(tmp_path: Path) -> None:
    """An earlier copy of it, say."""
    folder = stopped(tmp_path)
    with h5py.File(folder / "backprop-seed0.h5", "r+") as file:
        for group in ("synapses", "signals", "alignment", "metrics"):
            file[group]["step"][1:] = -1
    with pytest.raises(CheckpointError, match=r"checkpoint of step 13 follows, up to step 12 \(its last is of step"):
        resumed(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_kill_between_two_checkpoints(tmp_path: Path, ranks: int) -> None:
    """20 steps, 10 of them twice, since a rank died by SIGKILL in the 14th."""
    save_data(tmp_path)
    done = alone(("tests.engine.training.parts",), (str(tmp_path), str(ranks), "13", *SYSTEMS), limit=600)
    assert done.returncode == 0, done.stderr
    for system in SYSTEMS:
        killed, straight = (tmp_path / f"{kind}/{system}/{system}-seed0.h5" for kind in ("killed", "straight"))
        assert (resumptions(killed), resumptions(straight)) == (1, 0)
        assert_same(killed, straight)


@pytest.mark.slow
def test_torchrun_starts_anew_and_the_run_goes_on(tmp_path: Path) -> None:
    """By itself, in each run of an experiment."""
    systems = ["backprop", "kolen_pollack"]
    file, straight = save(tmp_path, learning=f"[{', '.join(systems)}]", **KEYS), tmp_path / "straight"
    killed = together(dying("kill", tmp_path, step=13, rank=1), run(file, tmp_path), restarts=2)
    through = together(PLAIN, run(file, straight))
    assert (killed.returncode, through.returncode) == (0, 0), killed.stderr + through.stderr
    for system in systems:
        one, other = (folder / f"out/{system}-seed0.h5" for folder in (tmp_path, straight))
        assert resumptions(one) == 1
        assert_same(one, other)
    summaries = [json.loads((folder / "out/summary.json").read_text()) for folder in (tmp_path, straight)]
    assert [len(summary["runs"]) for summary in summaries] == [2, 2]
