"""`run`, `demo` and `analyze`, end to end on a small experiment; and every way to stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterstream.analysis import Run, summary

from ..engine.training.small import CIRCUIT, save
from .commands import counterstream, here


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run of two systems with two seeds, and what it printed."""
    folder = tmp_path_factory.mktemp("run")
    file = save(folder, learning="[backprop, kolen_pollack]", seeds="[0, 1]")
    return folder / "out", counterstream("run", file, "--output", folder / "out")


def test_run_writes_everything(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = finished
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        "README.txt",
        "angles.png",
        "backprop-seed0.checkpoints",
        "backprop-seed0.h5",
        "backprop-seed1.checkpoints",
        "backprop-seed1.h5",
        "circuit-backprop.yaml",
        "circuit-kolen_pollack.yaml",
        "environment.json",
        "experiment.yaml",
        "kolen_pollack-seed0.checkpoints",
        "kolen_pollack-seed0.h5",
        "kolen_pollack-seed1.checkpoints",
        "kolen_pollack-seed1.h5",
        "log.txt",
        "metrics.jsonl",
        "summary.json",
    ]
    assert (folder / "angles.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_is_what_the_files_say(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = finished
    content = json.loads((folder / "summary.json").read_text())
    assert content["status"] == "complete"
    assert [row["system"] for row in content["systems"]] == ["backprop", "kolen_pollack"]
    for run in content["runs"]:
        with Run.open(folder / run["file"]) as recording:
            read = summary(recording)
        assert {name: read[name] for name in run if name in read} == {
            name: value for name, value in run.items() if name in read
        }
    (row,) = [line for line in done.stdout.splitlines() if line.strip().startswith("kolen_pollack")]
    told = content["systems"][1]
    assert f"{told['test_accuracy'] * 100:.1f} ± {told['test_accuracy_spread'] * 100:.1f}" in row
    assert f"{told['median_matrix_angle']:.1f}°" in row
    assert f"{told['relative_time']:.2f}x" in row
    assert " no " in row


def test_it_says_what_it_took_and_what_to_do_next(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = finished
    assert re.search(r"Training took [\d.]+ s, \d+% of it waiting for data\.\nWritten to ", done.stdout)
    assert done.stdout.rstrip().splitlines()[-3:] == [
        f"  counterstream report {folder} -o report.html",
        f"  counterstream table {folder}",
        f"  counterstream analyze {folder / 'kolen_pollack-seed1.h5'}",
    ]


def test_pipes_get_plain_lines(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = finished
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) < 24
    assert done.stderr.count("test accuracy") == 4


def test_the_recorded_experiment_and_circuit_read_back(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    import counterstream as cs
    from counterstream.engine.training import reads

    with Run.open(finished[0] / "kolen_pollack-seed1.h5") as run:
        assert reads(run.experiment).epochs == 2
        assert cs.loads(run.circuit).system == "kolen_pollack"


def test_an_existing_folder_is_kept(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = finished
    before = (folder / "summary.json").read_bytes()
    done = here("run", folder.parent / "small.yaml", "--output", folder)
    assert done.returncode == 2
    assert "must be empty" in done.stderr
    assert "--overwrite" in done.stderr
    assert (folder / "summary.json").read_bytes() == before


def test_analyze(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path = finished[0] / "kolen_pollack-seed0.h5"
    shown = counterstream("analyze", path)
    assert shown.returncode == 0, shown.stderr
    assert "flat->digit" in shown.stdout
    assert "no weight transport" in shown.stdout
    told = json.loads(counterstream("analyze", path, "--json").stdout)
    assert told["summary"]["learning"] == "kolen_pollack"
    assert [row["projection"] for row in told["matrix_angles"]] == ["flat->digit"]
    assert [row["population"] for row in told["delta_angles"]] == ["v1", "flat"]


def test_analyze_says_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("none")
    done = here("analyze", tmp_path / "a.h5")
    assert done.returncode == 2
    assert "not an HDF5 file" in done.stderr
    assert "Traceback" not in done.stderr


def test_options_replace_what_the_file_says(tmp_path: Path) -> None:
    file = save(tmp_path, learning="backprop", epochs="50")
    done = counterstream(
        "run", file, "--learning", "feedback_alignment", "--epochs", "1", "--seeds", "1", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    with Run.open(tmp_path / "runs/small/feedback_alignment-seed0.h5") as run:
        assert run.epochs.tolist() == [0, 1]


def test_an_option_that_does_not_fit_the_file(tmp_path: Path) -> None:
    file = save(tmp_path, epochs="5", consolidation="{warmup: 2}")
    done = here("run", file, "--epochs", "1", "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "command line: consolidation: warmup must be at most the 1 epochs" in done.stderr


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"epochs": "none"}, "small.yaml:5:1: epochs: "),
        ({"learning": "kolen_polack"}, "Did you mean 'kolen_pollack'?"),
        ({"data": "{npz: nowhere.npz}"}, "nowhere.npz: the data file must be readable"),
        ({"parameters": "{decy: 1}", "learning": "kolen_pollack"}, "unknown parameter 'decy'. Did you mean 'decay'?"),
        ({"engine": "torhc"}, "Did you mean 'torch'?"),
        ({"circuit": "nets/none.yaml"}, "nets/none.yaml' must be readable"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    keys = {"circuit": "mine.yaml", **keys}
    (tmp_path / "mine.yaml").write_text(CIRCUIT)
    done = here("run", save(tmp_path, **keys), "--output", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


INLINE_RULE = '{name: mine, feedback: {pathway: reciprocal}, modes: {engaged: {forward: "foo(pre.rate)"}}}'
NO_PLACE_FOR_FOO = CIRCUIT.replace("input: [1, 4, 4]", "input: [1, 4, 4], foo: 1")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"circuit": NO_PLACE_FOR_FOO}, "small.yaml:6:31: circuit.populations.image.foo: unknown key 'foo'"),
        ({"circuit": "smal"}, "small.yaml:3:1: circuit: unknown circuit 'smal'"),
        ({"learning": "[backprop, kolen_polack]"}, "small.yaml:21:22: learning[1]: unknown learning system"),
        ({"learning": INLINE_RULE}, "learning.modes.engaged.forward: unknown function 'foo'"),
        ({"learning": f"[{INLINE_RULE}]"}, "learning[0].modes.engaged.forward: unknown function 'foo'"),
        ({"learning": "[backprop, backprop]"}, "small.yaml:21:1: learning: systems must have different names"),
        ({"learning": "empty.yaml"}, "empty.yaml:1:1: the file must hold a learning system"),
        ({"batch": "1000"}, "small.yaml:17:1: batch: must be at most 40"),
        ({"modes": "{mirror: {every: 2}}"}, "small.yaml:21:9: modes.mirror: must be a mode"),
    ],
)
def test_problems_have_their_place_in_the_experiment(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    (tmp_path / "empty.yaml").write_text("")
    done = here("run", save(tmp_path, **keys), "--output", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_from_the_command_line_is_placed_there(tmp_path: Path) -> None:
    done = here("run", save(tmp_path, learning="backprop"), "--learning", "kolen_polack")
    assert done.returncode == 2
    assert "command line: learning[0]: unknown learning system 'kolen_polack'" in done.stderr


def test_divergence_is_an_error_and_keeps_what_is_finished(tmp_path: Path) -> None:
    file = save(tmp_path, consolidation="{rate: 1e30}", epochs="3")
    done = counterstream("run", file, "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "Not finite first in population" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "out/summary.json").read_text())["status"] == "failed"
    with Run.open(tmp_path / "out/backprop-seed0.h5") as run:
        assert run.attributes["status"] == "failed"


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_keeps_what_was_recorded_and_says_so(tmp_path: Path) -> None:
    file = save(tmp_path, epochs="100000")
    process = subprocess.Popen(
        [sys.executable, "-m", "counterstream", "run", str(file), "--output", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    recording = tmp_path / "out/backprop-seed0.h5"
    deadline = time.monotonic() + 60
    while not _has_snapshots(recording, 2) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "interrupted during backprop, seed 0" in stderr
    assert str(recording) in stderr
    assert "Traceback" not in stderr
    with Run.open(recording) as run:
        assert run.attributes["status"] == "interrupted"
        assert len(run.steps) >= 2
    assert json.loads((tmp_path / "out/summary.json").read_text())["status"] == "interrupted"


def _has_snapshots(path: Path, count: int) -> bool:
    if not path.exists():
        return False
    with Run.open(path) as run:
        return len(run.steps) >= count
