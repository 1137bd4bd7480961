"""Recording: round trips, order, back-pressure, and what happens when something fails."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from counterstream.engine.recorder import Recorder, RecordingError
from counterstream.engine.recorder.file import RunFile
from counterstream.engine.recorder.precision import bfloat16_bits

from . import samples


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
@pytest.mark.parametrize("precision", ["float64", "float32", "float16"])
def test_weights_return_as_they_were_rounded(tmp_path: Path, precision: Any, compression: Any) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, samples.schema(), precision=precision, compression=compression) as recorder:
        for step in range(3):
            recorder.snapshot(step=step, epoch=step, weights=samples.weights(step))
    with h5py.File(path) as file:
        for step in range(3):
            for name, array in samples.weights(step).items():
                np.testing.assert_array_equal(file[f"synapses/{name}/weights"][step], array.astype(precision))


def test_bfloat16_rounds_to_nearest_even() -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    values[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38]
    expected = torch.from_numpy(values).to(torch.bfloat16)
    bits = torch.from_numpy(bfloat16_bits(values).astype(np.int32).astype(np.int16)).view(torch.bfloat16)
    torch.testing.assert_close(bits, expected, rtol=0, atol=0, equal_nan=True)


def test_arrays_may_change_once_the_call_returned(tmp_path: Path) -> None:
    weights = samples.weights(0)
    with Recorder(tmp_path / "run.h5", samples.schema()) as recorder:
        for step in range(20):
            for array in weights.values():
                array.fill(step)
            recorder.snapshot(step=step, epoch=0, weights=weights)
    with h5py.File(tmp_path / "run.h5") as file:
        for step in range(20):
            assert (file["synapses/v1->digit/weights"][step] == step).all()


def test_metrics_keep_their_order_and_miss_as_nan(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.h5", samples.schema()) as recorder:
        for step in range(500):
            recorder.metrics(step=step, epoch=step / 100, values={"loss": step} if step % 2 else {"accuracy": 0.5})
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["metrics/step"], np.arange(500))
        loss = file["metrics/loss"][:]
        np.testing.assert_array_equal(loss[1::2], np.arange(1, 500, 2))
        assert np.isnan(loss[::2]).all()


def test_a_confirmed_record_is_readable_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, samples.schema(), buffers=1) as recorder:
        for step in range(5):  # with one buffer, a snapshot returns when the one before is confirmed
            recorder.snapshot(step=step, epoch=step, weights=samples.weights(step))
        assert recorder._file.snapshots >= 4
        read = "import h5py, sys; file = h5py.File(sys.argv[1], 'r', locking=False); "
        read += "weights = file['synapses/v1->digit/weights'][3]; "
        read += "print(file.attrs['status'], *file['synapses/step'][:4], weights[0, 0])"
        seen = subprocess.run([sys.executable, "-c", read, str(path)], capture_output=True, text=True, check=True)
        assert seen.stdout.split() == ["running", *"0123", str(samples.weights(3)["v1->digit"][0, 0])]


def test_the_training_thread_waits_where_every_buffer_is_full(tmp_path: Path, monkeypatch: Any) -> None:
    gate, append = threading.Event(), RunFile.append_snapshot

    def slow(self: RunFile, record: Any) -> None:
        assert gate.wait(10)
        append(self, record)

    monkeypatch.setattr(RunFile, "append_snapshot", slow)
    with Recorder(tmp_path / "run.h5", samples.schema(), buffers=2) as recorder:
        for step in range(2):
            recorder.snapshot(step=step, epoch=0, weights=samples.weights(step))
        third = threading.Thread(
            target=lambda: recorder.snapshot(step=2, epoch=0, weights=samples.weights(2)), daemon=True
        )
        third.start()
        third.join(0.2)
        assert third.is_alive()  # no third buffer is made
        gate.set()
        third.join(10)
        assert not third.is_alive()
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["synapses/step"], [0, 1, 2])


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (None, "complete", ""),
        (KeyboardInterrupt(), "interrupted", "interrupted from the keyboard"),
        (ValueError("loss is NaN at step 3"), "failed", "ValueError: loss is NaN at step 3"),
    ],
)
def test_the_file_says_how_the_run_ended(
    tmp_path: Path, error: BaseException | None, status: str, message: str
) -> None:
    def run() -> None:
        with Recorder(tmp_path / "run.h5", samples.schema()) as recorder:
            recorder.snapshot(step=0, epoch=0, weights=samples.weights(0))
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            run()
    else:
        run()
    with h5py.File(tmp_path / "run.h5") as file:
        assert (file.attrs["status"], file.attrs["message"]) == (status, message)
        np.testing.assert_array_equal(file["synapses/step"], [0])


def test_a_failing_write_ends_the_run_and_keeps_what_was_confirmed(tmp_path: Path, monkeypatch: Any) -> None:
    """The write fails halfway through the third snapshot, data written and index not."""
    path, real = tmp_path / "run.h5", h5py.Dataset.__setitem__
    written: list[str] = []

    def failing(self: h5py.Dataset, place: Any, value: Any) -> None:
        written.append(str(self.name))
        if sum(name.endswith("weights") for name in written) == 13:  # 5 projections a snapshot
            raise OSError(28, "No space left on device")
        real(self, place, value)

    monkeypatch.setattr(h5py.Dataset, "__setitem__", failing)
    message = "a snapshot of step 2 could not be written: No space left on device. The file holds every record"
    recorder = Recorder(path, samples.schema())
    with pytest.raises(RecordingError, match=re.escape(message)), recorder:
        _record_on(recorder)
    with pytest.raises(RecordingError, match="recording is closed"):
        recorder.metrics(step=0, epoch=0, values={})
    _assert_intact(path, snapshots=2)


FILLED_DISK = """
import resource, signal, sys
sys.path.insert(0, sys.argv[3])
import samples
from counterstream.engine.recorder import Recorder, RecordingError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with Recorder(sys.argv[1], samples.schema()) as recorder:
        for step in range(100_000):
            recorder.snapshot(step=step, epoch=0, weights=samples.weights(step))
except RecordingError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit a file's size")
@pytest.mark.parametrize("limit", [150_000, 151_234, 199_999])
def test_a_file_that_cannot_grow_stays_readable(tmp_path: Path, limit: int) -> None:
    path, here = tmp_path / "run.h5", str(Path(__file__).parent)
    command = [sys.executable, "-c", FILLED_DISK, str(path), str(limit), here]
    writer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert writer.returncode == 1
    assert re.search(r"recording stopped, a snapshot of step \d+ could not be written: File too large", writer.stderr)
    assert "Traceback" not in writer.stderr
    assert path.stat().st_size <= limit
    step = int(re.findall(r"of step (\d+)", writer.stderr)[0])
    assert step > 3
    _assert_intact(path, snapshots=step)


def _record_on(recorder: Recorder) -> None:
    for step in range(100):
        recorder.snapshot(step=step, epoch=0, weights=samples.weights(step))
    raise AssertionError("a hundred snapshots were handed over, and nobody said that they are not written")


def _assert_intact(path: Path, snapshots: int) -> None:
    with h5py.File(path) as file:
        assert np.count_nonzero(file["synapses/step"][:] >= 0) == snapshots
        for step in range(snapshots):
            for name, array in samples.weights(step).items():
                np.testing.assert_array_equal(file[f"synapses/{name}/weights"][step], array)


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_text("precious")
    with pytest.raises(RecordingError, match=re.escape("run.h5: the file exists. Choose another path")):
        Recorder(path, samples.schema())
    assert path.read_text() == "precious"
    Recorder(path, samples.schema(), overwrite=True).close(status="complete")
    assert h5py.is_hdf5(path)
    assert os.listdir(tmp_path) == ["run.h5"]  # nothing half made is left beside it


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="the recording cannot be created"):
        Recorder(tmp_path / "file" / "run.h5", samples.schema())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda r: r.snapshot(step=0, epoch=0, weights={}),
            "must hold every projection (got none for 'image->v1')",
        ),
        (
            lambda r: r.snapshot(step=0, epoch=0, weights=samples.weights(0) | {"v1->digit": np.zeros((6, 10))}),
            "weights of 'v1->digit' must have shape (10, 6) (got (6, 10))",
        ),
        (
            lambda r: r.snapshot(step=0, epoch=0, weights=samples.weights(0) | {"v1->digits": np.zeros(3)}),
            "projection 'v1->digits' is not in the schema. Did you mean 'v1->digit'?",
        ),
        (
            lambda r: r.metrics(step=0, epoch=0, values={"los": 1}),
            "metric 'los' is not in the schema. Did you mean",
        ),
        (lambda r: r.metrics(step=-1, epoch=0, values={}), "step must not be negative (got -1)"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_at_once(tmp_path: Path, call: Any, message: str) -> None:
    with Recorder(tmp_path / "run.h5", samples.schema()) as recorder:
        with pytest.raises(RecordingError, match=re.escape(message)):
            call(recorder)
        recorder.snapshot(step=0, epoch=0, weights=samples.weights(0))  # and the recording goes on
    _assert_intact(tmp_path / "run.h5", snapshots=1)


def test_settings_are_checked_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="Did you mean 'bfloat16'"):
        Recorder(tmp_path / "run.h5", samples.schema(), precision="bfloat")  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match="it must be None, 'gzip' or 'lzf'"):
        Recorder(tmp_path / "run.h5", samples.schema(), compression="zip")  # type: ignore[arg-type]
    assert not (tmp_path / "run.h5").exists()
