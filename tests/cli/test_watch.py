"""`counterstream watch` beside a process that writes: it waits, follows, and ends with the run."""

import shutil
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import h5py
import pytest
from rich.console import Console
from typer.testing import CliRunner

from counterstream.analysis import AnalysisError
from counterstream.cli.app import app
from counterstream.cli.glance import Glance, duration, look, newest
from counterstream.cli.watch import line, picture
from counterstream.engine.recorder import About, Alignment, Metrics, Recorder

WRITER = """
import sys, time
from counterstream.engine.recorder import About, Alignment, Metrics, Recorder

about = About(circuit="", circuit_name="net", learning="weight_mirror", seed=3, experiment="epochs: 4\\n")
recorder = Recorder(sys.argv[1], about)
recorder.enrol(Alignment(projections={"a->b": "a->b~"}, populations=["b"]), Metrics(["loss"]))
with recorder.prepare():
    for epoch in range(1, 5):
        angles = {"matrix_angle": {"a->b": 80.0 / epoch}, "delta_angle": {"b": 60.0 / epoch}}
        recorder.write(step=10 * epoch, epoch=epoch, alignment=angles, metrics={"loss": 1 / epoch})
        time.sleep(0.5)
    recorder.result("test_accuracy", 0.975)
    if sys.argv[2] == "fails":
        raise ValueError("the loss must stay finite")
"""


def started(*command: object) -> subprocess.Popen[str]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *map(str, command)], **pipes)


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "code"), [("ends", 0), ("fails", 1)])
def test_it_waits_follows_and_ends_with_the_run(tmp_path: Path, ending: str, code: int) -> None:
    path = tmp_path / "run.h5"
    watching = started("-m", "counterstream", "watch", path, "--every", "0.1", "--timeout", "60")
    assert watching.stdout is not None
    assert watching.stdout.readline() == f"{path}: waiting for it. Ctrl-C leaves\n"
    writing = started("-c", WRITER, path, ending)
    out, err = watching.communicate(timeout=60)
    writing.communicate(timeout=60)
    assert watching.returncode == code, err
    assert f"{path}: weight_mirror in net, seed 3, running" in out
    records = [text for text in out.splitlines() if text.startswith("epoch ")]
    assert 1 < len(records) <= 8  # a line a record that was met, or two where it was met half
    assert records[-1].startswith("epoch 4/4   step 40")
    assert "matrix angle median 20.0°, worst 20.0° (a->b)   delta angle median 15.0°, worst 15.0° (b)" in records[-1]
    end = "complete at epoch 4, test accuracy 97.50%" if ending == "ends" else "ValueError: the loss must stay finite"
    assert end in out
    assert f"counterstream report {tmp_path} -o report.html" in out


def test_ctrl_c_leaves_the_run_alone(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run.h5")
    watching = started("-m", "counterstream", "watch", tmp_path, "--every", "0.1")
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert err == f"left; a run goes on without being watched. Again: counterstream watch {tmp_path}\n"
    recorder.close()


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (None, "must be there within 0.2 s (nothing came)"),
        (b"a recording", "nothing was recorded for"),
        (b"no HDF5", "run.h5"),
    ],
)
def test_it_gives_up_where_nothing_comes(tmp_path: Path, there: bytes | None, told: str) -> None:
    path = tmp_path / "run.h5"
    recorder = recorded(path) if there == b"a recording" else None
    if there == b"no HDF5":
        path.write_bytes(there)
    watched = CliRunner().invoke(app, ["watch", str(path), "--every", "0.1", "--timeout", "0.2"])
    assert getattr(watched.exception, "exit_code", None) == 2
    assert told in str(watched.exception)
    if recorder:
        recorder.close()


def test_a_file_that_goes_away_is_named(tmp_path: Path) -> None:
    recorded(tmp_path / "run.h5").close()
    (tmp_path / "run.h5").rename(tmp_path / "moved.h5")
    with pytest.raises(AnalysisError, match=r"run\.h5: the recording must stay where it is \(got No such file"):
        look(tmp_path / "run.h5")
    recorder = recorded(tmp_path / "writing.h5")
    settled(tmp_path / "writing.h5")
    path = Path(shutil.copy(tmp_path / "writing.h5", tmp_path / "again.h5"))
    recorder.close()
    watching = started("-m", "counterstream", "watch", path, "--every", "0.1")
    assert watching.stdout is not None
    watching.stdout.readline()
    path.unlink()
    _, err = watching.communicate(timeout=60)
    assert watching.returncode == 2
    assert err.startswith(f"{path}: the recording must stay where it is")
    assert "Traceback" not in err


def test_without_a_terminal_silence_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and again after twice as long."""
    recorder = recorded(tmp_path / "run.h5")
    settled(tmp_path / "run.h5")
    monkeypatch.setattr("counterstream.cli.watch.STALE", 0.5)
    watched = CliRunner().invoke(app, ["watch", str(tmp_path / "run.h5"), "--every", "0.1", "--timeout", "1.9"])
    told = [text for text in watched.stdout.splitlines() if text.startswith("nothing new for ")]
    assert 1 <= len(told) <= 2, watched.stdout
    assert told[0].endswith(" s: records are rare, or the run was killed")
    recorder.close()


def test_names_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = recorded(path, name="net\x1b[31m", layer="layer\x1b]0;title\x07", metric="loss\x9b2J\u202e")
    settled(path)
    found = look(path)
    assert found.title == r"weight_mirror in net\x1b[31m, seed 3"
    assert r"loss\x9b2J\u202e 0.7" in line(found, found, found.written)
    assert r"(layer\x1b]0;title\x077)" in line(found, found, found.written)
    recorder.close()
    with h5py.File(path, "r+") as file:
        file["metrics/loss\x9b2J\u202e"].attrs["position"] = "first"
        file.attrs["status"] = "bad\x1b[2J"
    done = CliRunner().invoke(app, ["validate", str(path)])
    assert done.exit_code == 2
    assert r"/metrics/loss\x9b2J\u202e: attribute 'position' must be int64" in done.stdout
    assert not set(done.stdout) & set("\x1b\x9b\u202e")


def test_of_a_folder_the_newest_run(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    recorded(tmp_path / "b.h5").close()
    time.sleep(1.1)  # `created` counts seconds
    recorded(tmp_path / "a.h5").close()
    (tmp_path / ".a.h5.1.tmp.h5").write_text("", encoding="utf-8")
    assert newest(tmp_path) == tmp_path / "a.h5"


def test_a_glance_in_a_terminal(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run.h5")
    glance = settled(tmp_path / "run.h5")
    screen = Console(width=100, record=True, file=StringIO())
    screen.print(picture(glance, glance, glance.written + 300))
    shown = screen.export_text()
    assert "weight_mirror in net, seed 3" in shown
    assert "epoch 1/4   step 10" in shown
    assert "accuracy 50.0%" in shown
    assert "layer7" in shown  # the worst
    assert "layer0" not in shown  # not the best
    assert "nothing new for 5 min" in shown
    assert "\n" not in line(glance, glance, glance.written)
    recorder.close()


def settled(path: Path) -> Glance:
    """Waits for the record to be confirmed: it is written by a thread."""
    deadline = time.monotonic() + 20
    while (found := look(path)).step < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def recorded(path: Path, *, name: str = "net", layer: str = "layer", metric: str = "loss") -> Recorder:
    """A run at the first of four epochs, not ended."""
    about = About(circuit="", circuit_name=name, learning="weight_mirror", seed=3, experiment="epochs: 4\n")
    layers = [f"{layer}{number}" for number in range(8)]
    recorder = Recorder(path, about)
    recorder.enrol(
        Alignment(projections={name: f"{name}~" for name in layers}), Metrics([metric, "accuracy"])
    ).prepare()
    angles = {name: 10.0 + rank for rank, name in enumerate(layers)}
    metrics = {metric: 0.7, "accuracy": 0.5}
    recorder.write(step=10, epoch=1.0, alignment={"matrix_angle": angles}, metrics=metrics)
    return recorder


def glance(**changes: Any) -> Glance:
    given: dict[str, Any] = {
        "path": Path("run.h5"), "title": "", "status": "running", "message": "", "step": 10, "epoch": 2.0, "epochs": 10,
        "records": (3, 3, 2),        "metrics": {}, "angles": (), "results": {}, "written": 1200.0, "created": 1000.0,
    }  # fmt: skip
    return Glance(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param({}, 800.0 - 50.0, id="at the pace since its beginning, less what passed since the last record"),
        pytest.param(
            {"created": None}, (1200 - 1100) / (2 - 1) * 8 - 50, id="taken up again: at the pace that was watched"
        ),
        pytest.param({"epochs": None}, None, id="unknown how long it is to be"),
        pytest.param({"epoch": 0.0}, None, id="nothing done"),
        pytest.param({"written": 900.0}, None, id="clocks that disagree"),
        pytest.param({"epoch": 10.0}, 0.0, id="done"),
    ],
)
def test_the_time_left(changes: dict[str, Any], left: float | None) -> None:
    first = glance(written=1100.0, epoch=1.0)
    assert glance(**changes).left(first, 1250.0) == left


@pytest.mark.parametrize(
    ("seconds", "words"), [(12.4, "12 s"), (100, "2 min"), (3 * 3600 + 300, "3 h 05 min"), (190_000, "2 d 4 h")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_metrics_have_their_units() -> None:
    told = line(glance(metrics={"loss": 0.5, "validation_top5_accuracy": 0.925, "data_wait": 12.34}), glance(), 0.0)
    assert "loss 0.5   validation top5 accuracy 92.5%   data wait 12 s" in told
