"""Opening a recording: what it offers, and the named errors of files that are none."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from counterstream.analysis import AnalysisError, Run
from counterstream.engine.recorder import Recorder

from .recordings import SHAPES, record, schema, synapse

BUSY_WRITER = """
import sys, numpy as np
from counterstream.engine.recorder import Recorder, Schema, Synapse

shape = (64, 32, 3, 3)
synapses = [Synapse(projection=name, source="x", target="y", role="forward", shape=shape, wiring="conv")
            for name in ("a->b", "a->b~")]
schema = Schema(circuit="", circuit_name="", learning="", transports_weights=False, environment={}, seed=0,
                experiment="", synapses=synapses)
with Recorder(sys.argv[1], schema, buffers=1) as recorder:
    for step in range(500):
        weights = {name: np.full(shape, step, np.float32) for name in ("a->b", "a->b~")}
        recorder.snapshot(step=step, epoch=0, weights=weights)
        if step == 1:
            print("begun", flush=True)
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("run") / "kp.h5", curve=lambda epoch, depth: 80 - 5 * epoch + depth)


@pytest.fixture
def copy(recording: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(recording, tmp_path / "copy.h5"))


def test_a_run_tells_what_it_was(recording: Path) -> None:
    with Run.open(recording) as run:
        assert run.attributes["learning"] == "kolen_pollack"
        assert run.attributes["transports_weights"] is False
        assert run.attributes["status"] == "complete"
        assert (run.circuit, run.experiment) == ("name: digits\n", "epochs: 10\n")
        assert run.environment == {"torch": "2.11.0"}
        assert run.results == {"test_accuracy": 0.98, "seconds": 4.5}
        np.testing.assert_array_equal(run.steps, np.arange(11) * 23)
        np.testing.assert_array_equal(run.epochs, np.arange(11))
        assert repr(run).endswith("kolen_pollack, 11 snapshots, complete)")


def test_synapses_come_in_the_order_of_the_circuit(recording: Path) -> None:
    with Run.open(recording) as run:
        forward = [name for name, found in run.synapses.items() if found.role == "forward"]
        assert forward == list(SHAPES)
        assert run.pairs == tuple((name, f"{name}~") for name in list(SHAPES)[1:])
        conv = run.synapses["stage2.block1.conv1~"]
        assert (conv.reverse_of, conv.tie, conv.shape) == ("stage2.block1.conv1", None, (16, 8, 3, 3))
        assert run.synapses["image->v1"].rules == {"engaged": "-post.apical * pre.rate"}


def test_metrics_are_a_frame(recording: Path) -> None:
    with Run.open(recording) as run:
        table = run.metrics()
    assert list(table.columns) == ["step", "epoch", "loss", "accuracy"]
    assert table["loss"].tolist() == [2.3 / (epoch + 1) for epoch in range(11)]
    assert table["accuracy"].isna().all()


def test_snapshots_count_from_both_ends(recording: Path) -> None:
    with Run.open(recording) as run:
        last = run.weights("image->v1")
        assert last.shape == (8, 1, 3, 3)
        np.testing.assert_array_equal(last, run.weights("image->v1", 10))
        np.testing.assert_array_equal(run.weights("image->v1", 0), run.weights("image->v1", -11))
        with pytest.raises(AnalysisError, match="snapshot 11 does not exist; the file holds 11"):
            run.weights("image->v1", 11)
        with pytest.raises(AnalysisError, match=r"'image->v' is not recorded\. Did you mean 'image->v1'\?"):
            run.weights("image->v")


@pytest.mark.parametrize("precision", ["float64", "float32", "float16", "bfloat16"])
def test_every_precision_reads_as_numbers(tmp_path: Path, precision: Any) -> None:
    weights = {"a->b": np.array([[1.0, -0.15625], [3.140625, 0.0]])}  # exact in all four
    with Recorder(tmp_path / "run.h5", schema(synapse("a->b", (2, 2))), precision=precision) as recorder:
        recorder.snapshot(step=0, epoch=0, weights=weights)
    with Run.open(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(run.weights("a->b"), weights["a->b"])
        assert run.weights("a->b").dtype.kind == "f"


def test_a_running_recording_shows_what_is_confirmed(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.h5", schema(synapse("a->b", (2, 2))), buffers=1) as recorder:
        for step in range(4):
            recorder.snapshot(step=step, epoch=step, weights={"a->b": np.full((2, 2), step)})
        with Run.open(tmp_path / "run.h5") as run:
            assert run.attributes["status"] == "running"
            assert len(run.steps) >= 3
            for step in run.steps:
                assert (run.weights("a->b", step) == step).all()


def test_an_unconfirmed_row_is_not_there(copy: Path) -> None:
    """As a kill between data and index leaves it."""
    with h5py.File(copy, "r+") as file:
        file["synapses/step"][10] = -1
    with Run.open(copy) as run:
        assert len(run.steps) == 10
        np.testing.assert_array_equal(run.weights("image->v1"), run.weights("image->v1", 9))
        assert all(len(angles) == 10 for _, angles in run.signals())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "this is not an HDF5 file, so no recording of Counterstream"),
        (b"epoch,loss\n", "this is not an HDF5 file, so no recording of Counterstream"),
    ],
)
def test_what_is_no_hdf5_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "run.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AnalysisError, match=re.escape(f"{path}: {message}")):
        Run.open(path)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9])
def test_a_truncated_file_is_named(copy: Path, kept: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(AnalysisError, match="the file is truncated and cannot be opened"):
        Run.open(copy)


def test_another_hdf5_file_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(AnalysisError, match="an HDF5 file, but no recording of Counterstream"):
        Run.open(tmp_path / "other.h5")


def test_a_newer_format_is_named(copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(AnalysisError, match=r"must be at most 1 \(got 2\): a newer Counterstream wrote it"):
        Run.open(copy)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("metrics", "the recording is damaged, it lacks metrics"),
        ("synapses/step", "the recording is damaged"),
        ("synapses/image->v1/weights", "the recording is damaged, it lacks /synapses/image->v1/weights"),
        ("signals/v1/delta_angle", "the recording is damaged, it lacks /signals/v1/delta_angle"),
    ],
)
def test_what_a_damaged_recording_lacks_is_named(copy: Path, place: str, message: str) -> None:
    with h5py.File(copy, "r+") as file:
        del file[place]
    with pytest.raises(AnalysisError, match=re.escape(message)):
        _read_all(copy)


def test_analysis_errors_leave_with_code_2() -> None:
    assert AnalysisError.exit_code == 2


def test_analysis_loads_neither_torch_nor_the_engine() -> None:
    code = (
        "import sys, counterstream.analysis; foreign = ('torch', 'matplotlib', 'counterstream.engine'); "
        "print([module for module in sys.modules if module.startswith(foreign)])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_reader_beside_a_busy_writer_sees_only_whole_snapshots(tmp_path: Path) -> None:
    """The writer is another process that never rests; a reading that meets its flush is repeated."""
    path = tmp_path / "run.h5"
    with subprocess.Popen([sys.executable, "-c", BUSY_WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline(), "the writer never began"
        openings = 0
        while writer.poll() is None:
            openings += 1
            with Run.open(path) as run:
                last = len(run.steps) - 1
                assert (run.weights("a->b") == last).all()
                assert (run.weights("a->b~", last // 2) == last // 2).all()
    assert (writer.returncode, openings > 10) == (0, True)


def _read_all(path: Path) -> None:
    with Run.open(path) as run:
        for name in run.synapses:
            run.weights(name)
        list(run.signals())
        run.metrics()
