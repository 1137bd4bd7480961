"""The folder of a run explains itself, whatever the end."""

import json
from pathlib import Path

import pytest

from counterstream.circuits.errors import CounterstreamError
from counterstream.circuits.expansion import expand
from counterstream.cli.log import Log
from counterstream.cli.watching import watching
from counterstream.engine.training import Interrupted, OutputFolder, Prepared, RunName, read, run_experiment
from counterstream.engine.training.journal import Journal
from counterstream.models.library import load

from ..engine.training.small import prepared


def carried_out(plan: Prepared, output: OutputFolder) -> None:
    with watching(output, plan) as progress:
        run_experiment(plan, output, progress=progress)


@pytest.fixture
def plan(tmp_path: Path) -> Prepared:
    return prepared(tmp_path, learning="kolen_pollack")


def test_a_folder_explains_itself(plan: Prepared, tmp_path: Path) -> None:
    carried_out(plan, OutputFolder(tmp_path / "out"))
    folder = tmp_path / "out"
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    assert "small: an experiment of Counterstream." in readme
    assert "Runs: kolen_pollack; seeds 0." in readme
    again = read(folder / "experiment.yaml")
    assert again.consolidation == plan.experiment.consolidation
    assert again.data == plan.experiment.data
    assert load(str(folder / "circuit-kolen_pollack.yaml")) == expand(plan.systems[0].explicit)
    told = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    assert told["environment"]["torch"]
    assert [start["processes"] for start in told["started"]] == [1]
    log = (folder / "log.txt").read_text(encoding="utf-8").splitlines()
    assert "kolen_pollack, seed 0" in log[0]
    assert log[-1].endswith("  ended")
    events = [json.loads(line)["event"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert (events[0], events[-1], events.count("epoch")) == ("started", "finished", 2)


def test_what_is_gone_on_with_keeps_its_log_and_its_commands(plan: Prepared, tmp_path: Path) -> None:
    for opened in (OutputFolder, OutputFolder.begun):
        with watching(opened(tmp_path / "out"), plan) as progress:
            progress.noted("here")
    folder = tmp_path / "out"
    assert len((folder / "log.txt").read_text(encoding="utf-8").splitlines()) == 4
    assert len(json.loads((folder / "environment.json").read_text(encoding="utf-8"))["started"]) == 2


def test_an_error_is_the_last_line_of_the_log(plan: Prepared, tmp_path: Path) -> None:
    with pytest.raises(Interrupted), watching(OutputFolder(tmp_path / "out"), plan):
        raise Interrupted("interrupted during backprop, seed 0")
    last = (tmp_path / "out" / "log.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert last.endswith("  Interrupted: interrupted during backprop, seed 0")


def test_files_of_somebody_else_are_left_alone(plan: Prepared, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("mine")
    output = OutputFolder(tmp_path, overwrite=True)
    with pytest.raises(CounterstreamError, match="is not one that Counterstream wrote"), watching(output, plan):
        raise AssertionError("unreachable")
    assert (tmp_path / "log.txt").read_text() == "mine"


def test_a_log_can_be_read_as_it_grows(tmp_path: Path) -> None:
    run = RunName(system="s", seed=1, path=tmp_path / "s-seed1.h5")
    with Log(tmp_path / "log.txt") as log:
        log.run_started(run, 1, 1, 1)
        log.run_finished(run, 0.5, 1.0)
        (line,) = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert line.startswith("20")
    assert "+00:00  [1/1] s, seed 1 " in line
    with pytest.raises(CounterstreamError, match="cannot be written"):
        Log(tmp_path / "gone" / "log.txt")


FULL = Path("/dev/full")
NO_ROOM = r"^/dev/full: cannot be written \(No space left on device\)"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_a_disk_that_is_full_is_named(tmp_path: Path) -> None:
    """By whoever comes to it first, and once."""
    run = RunName(system="s", seed=1, path=tmp_path / "s-seed1.h5")
    with pytest.raises(CounterstreamError, match=NO_ROOM), Log(FULL) as log:
        log.run_finished(run, 0.5, 1.0)
    with pytest.raises(CounterstreamError, match=NO_ROOM), Journal(FULL) as journal:
        journal.run_finished(run, 0.5, 1.0)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_what_ended_a_run_is_what_a_full_log_leaves_to_be_said() -> None:
    with pytest.raises(Interrupted, match="during backprop"), Log(FULL):
        raise Interrupted("interrupted during backprop, seed 0")
