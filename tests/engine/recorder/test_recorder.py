"""Recording: round trips, order, back-pressure, and what happens when something fails."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.engine.recorder import Metrics, Recorder, RecordingError, Signal, Signals, Synapse, Weights
from counterstream.engine.recorder.file import RunFile
from counterstream.engine.recorder.precision import bfloat16_bits

from . import samples
from .reading import GROUPS, confirmed, everywhere, numbers, steps_of

PRECISIONS = ["float64", "float32", "float16", "bfloat16"]


def rounded(array: np.ndarray, precision: str) -> np.ndarray:
    """The nearest numbers of a precision, as torch rounds to it where NumPy cannot."""
    if precision != "bfloat16":
        return array.astype(precision)
    torch = pytest.importorskip("torch")
    return torch.from_numpy(array).to(torch.bfloat16).to(torch.float32).numpy()


@pytest.mark.parametrize("compression", ["none", "gzip", "lzf", "blosc2"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_arrays_return_as_they_were_rounded(tmp_path: Path, precision: Any, compression: Any) -> None:
    if compression == "blosc2":
        pytest.importorskip("hdf5plugin")
    path = tmp_path / "run.h5"
    arrays = samples.everything(precision=precision, compression=compression)[:2]
    with samples.recorder(path, *arrays).prepare() as recorder:
        for step in range(3):
            recorder.write(step=step, epoch=step, weights=samples.weights(step), signals=samples.signals(step))
    with h5py.File(path) as file:
        for step in range(3):
            for name, array in samples.weights(step).items():
                found = numbers(file[f"synapses/{name}/weights"], step)
                np.testing.assert_array_equal(found, rounded(array, precision))
            for name, own in samples.signals(step).items():
                for what, array in own.items():
                    found = numbers(file[f"signals/{name}/{what}"], step)
                    np.testing.assert_array_equal(found, rounded(array, precision))


names = st.text(st.sampled_from("ab.->~ é\\*[]"), min_size=1, max_size=12).filter(lambda name: name.strip(".") != "")
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=5).map(tuple)


@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    recorded=st.dictionaries(names, shapes, min_size=1, max_size=4),
    precision=st.sampled_from(PRECISIONS),
)
def test_any_name_and_shape_returns(tmp_path_factory: Any, data: st.DataObject, recorded: Any, precision: Any) -> None:
    """Dots, arrows, tildes, blanks and whatever else a name holds stand as they are, in every group."""
    path = tmp_path_factory.mktemp("any") / "run.h5"
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    synapses = [
        Synapse(projection=name, source="a", target="b", shape=shape, wiring="any") for name, shape in recorded.items()
    ]
    signals = [Signal(population=name, shape=shape, what=["rate"]) for name, shape in recorded.items()]
    weights = {name: random.normal(size=shape).astype(np.float32) for name, shape in recorded.items()}
    rates = {name: {"rate": random.normal(size=(2, *shape)).astype(np.float32)} for name, shape in recorded.items()}
    enrolled = (Weights(synapses, precision), Signals(signals, [5, 0], precision=precision), Metrics(list(recorded)))
    with samples.recorder(path, *enrolled).prepare() as recorder:
        values = {name: random.normal() for name in recorded}
        recorder.write(step=4, epoch=0.5, weights=weights, signals=rates, metrics=values)
    with h5py.File(path) as file:
        for name in recorded:
            found = numbers(file["synapses"][name]["weights"], 0)
            np.testing.assert_array_equal(found, rounded(weights[name], precision))
            found = numbers(file["signals"][name]["rate"], 0)
            np.testing.assert_array_equal(found, rounded(rates[name]["rate"], precision))
            assert file["metrics"][name][0] == values[name]


def test_bfloat16_rounds_to_nearest_even() -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    values[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38]
    expected = torch.from_numpy(values).to(torch.bfloat16)
    bits = torch.from_numpy(bfloat16_bits(values).astype(np.int32).astype(np.int16)).view(torch.bfloat16)
    torch.testing.assert_close(bits, expected, rtol=0, atol=0, equal_nan=True)


def test_numbers_beyond_a_format_become_infinite(tmp_path: Path) -> None:
    given = {name: np.full(array.shape, 1e300) for name, array in samples.weights(0).items()}
    for precision in ("float64", "float32", "float16"):
        path = tmp_path / f"{precision}.h5"
        with samples.recorder(path, Weights(samples.synapses(), precision)).prepare() as recorder:
            recorder.write(step=0, epoch=0, weights=given)
        with h5py.File(path) as file:
            stored = file["synapses/v1->digit/weights"][0]
        assert (stored == (1e300 if precision == "float64" else np.inf)).all()


def test_arrays_may_change_once_the_call_returned(tmp_path: Path) -> None:
    weights, signals = samples.weights(0), samples.signals(0)
    with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
        for step in range(20):
            for array in (*weights.values(), *(array for own in signals.values() for array in own.values())):
                array.fill(step)
            recorder.write(step=step, epoch=0, weights=weights, signals=signals)
    with h5py.File(tmp_path / "run.h5") as file:
        for step in range(20):
            assert (file["synapses/v1->digit/weights"][step] == step).all()
            assert (file["signals/stage1.block1/delta"][step] == step).all()


def test_arrays_are_asked_for_one_at_a_time(tmp_path: Path) -> None:
    """So that of weights on a device no more than one need lie on the host, beside the buffers."""

    class Fetched(dict[str, np.ndarray]):
        def __getitem__(self, name: str) -> np.ndarray:
            asked.append(name)
            return super().__getitem__(name)

    asked: list[str] = []
    with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
        recorder.write(step=0, epoch=0, weights=Fetched(samples.weights(0)))
    assert asked == samples.ORDER


def test_metrics_keep_their_order_and_miss_as_nan(tmp_path: Path) -> None:
    with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
        for step in range(500):
            recorder.write(step=step, epoch=step / 100, metrics={"loss": step} if step % 2 else {"accuracy": 0.5})
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["metrics/step"], np.arange(500))
        loss = file["metrics/loss"][:]
        np.testing.assert_array_equal(loss[1::2], np.arange(1, 500, 2))
        assert np.isnan(loss[::2]).all()


def test_groups_have_records_of_their_own(tmp_path: Path) -> None:
    with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
        recorder.write(step=0, epoch=0, weights=samples.weights(0), metrics=samples.metrics(0))
        recorder.write(step=3, epoch=0.75, alignment=samples.alignment(3))
        recorder.write(step=5, epoch=1.25, metrics=samples.metrics(5))
        assert recorder.last_steps == {"synapses": 0, "alignment": 3, "metrics": 5}
    assert steps_of(tmp_path / "run.h5") == {"synapses": [0], "signals": [], "alignment": [3], "metrics": [0, 5]}


READ = """
import sys
import h5py
from tests.engine.recorder.reading import check_whole
seen, failed = 0, 0
while True:
    try:
        with h5py.File(sys.argv[1], "r", locking=False) as file:
            status = file.attrs["status"]
            found = check_whole(file)
    except (OSError, KeyError, ValueError, RuntimeError, AssertionError):
        # Met in the midst of a flush: to be opened anew. Only what is wrong and stays so is wrong.
        failed += 1
        if failed > 50:
            raise
        continue
    failed = 0
    counts = [len(steps) for steps in found.values()]
    assert min(counts) >= seen, "a confirmed record has gone"
    seen = min(counts)
    print(status, *counts, flush=True)
    if status == "complete":
        break
"""


@pytest.mark.slow
def test_a_reader_beside_the_writer_sees_whole_records_only(tmp_path: Path) -> None:
    path, root, lines = tmp_path / "run.h5", Path(__file__).parents[3], list[str]()
    with samples.recorder(path).prepare() as recorder:
        command = [sys.executable, "-c", READ, str(path)]
        reader = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert reader.stdout is not None
        listening = threading.Thread(target=lambda: lines.extend(reader.stdout), daemon=True)
        listening.start()
        step, deadline = 0, time.monotonic() + 60
        while len(lines) < 3 and time.monotonic() < deadline:  # the reader has looked thrice, records in between
            if step < 300:  # a look reads all there is
                samples.record(recorder, step)
                step += 1
            time.sleep(0.02)
    listening.join(60)
    reader.stdout.close()
    assert reader.wait(60) == 0
    assert len(lines) >= 4
    assert lines[0].startswith("running")
    assert lines[-1].split() == ["complete", *[str(step)] * 4]


def test_the_training_thread_waits_where_every_buffer_is_full(tmp_path: Path, monkeypatch: Any) -> None:
    gate, append = threading.Event(), RunFile.append

    def slow(self: RunFile, records: Any) -> None:
        assert gate.wait(10)
        append(self, records)

    monkeypatch.setattr(RunFile, "append", slow)
    with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
        for step in range(2):
            recorder.write(step=step, epoch=0, weights=samples.weights(step))
        third = threading.Thread(
            target=lambda: recorder.write(step=2, epoch=0, weights=samples.weights(2)), daemon=True
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
        with samples.recorder(tmp_path / "run.h5").prepare() as recorder:
            samples.record(recorder, 0)
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            run()
    else:
        run()
    with h5py.File(tmp_path / "run.h5") as file:
        assert (file.attrs["status"], file.attrs["message"]) == (status, message)
    assert steps_of(tmp_path / "run.h5") == everywhere([0])


def test_a_failing_write_ends_the_run_and_keeps_what_was_confirmed(tmp_path: Path, monkeypatch: Any) -> None:
    """On the file's way to the disk at the third record of weights, half of it done."""
    path, allocate, writes = tmp_path / "run.h5", RunFile._flush, []

    def full(self: RunFile) -> None:
        writes.append(1)
        if len(writes) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        allocate(self)

    monkeypatch.setattr(RunFile, "_flush", full)
    message = (
        f"{path}: recording stopped, synapses of step 2 could not be written: No space left on device. The file holds"
    )
    recorder = samples.recorder(path).prepare()
    with pytest.raises(RecordingError, match=re.escape(message)), recorder:
        _record_on(recorder)
    with pytest.raises(RecordingError, match="recording is closed"):
        recorder.write(step=0, epoch=0, metrics={})
    assert steps_of(path)["synapses"] == [0, 1]


FILLED_DISK = """
import resource, signal, sys
from pathlib import Path
from counterstream.engine.recorder import RecordingError
from tests.engine.recorder import samples
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with samples.recorder(path).prepare() as recorder:
        for step in range(100_000):
            samples.record(recorder, step)
except RecordingError as error:
    sys.exit(str(error))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit a file's size")
@pytest.mark.parametrize("limit", [400_000, 401_234, 449_999])
def test_a_file_that_cannot_grow_stays_readable(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.h5"
    command = [sys.executable, "-c", FILLED_DISK, str(path), str(limit)]
    root = Path(__file__).parents[3]
    writer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert writer.returncode == 1, writer.stderr
    stopped = re.search(r"recording stopped, (\w+) of step (\d+) could not be written: File too large", writer.stderr)
    assert stopped, writer.stderr
    assert "Traceback" not in writer.stderr
    assert path.stat().st_size <= limit
    group, step = stopped[1], int(stopped[2])
    assert step > 3
    found = steps_of(path)
    assert found[group] == list(range(step))
    for other in GROUPS:  # records are written in the groups' order: those before are one ahead
        before = GROUPS.index(other) < GROUPS.index(group)
        assert found[other] == list(range(step + before)), other


def _record_on(recorder: Recorder) -> None:
    for step in range(100):
        recorder.write(step=step, epoch=step / 4, weights=samples.weights(step))
    raise AssertionError("a hundred snapshots were handed over, and nobody said that they are not written")


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_text("precious")
    with pytest.raises(RecordingError, match=re.escape("run.h5: the file exists. Choose another path")):
        samples.recorder(path).prepare()
    assert path.read_text() == "precious"
    samples.recorder(path).prepare(overwrite=True).close()
    assert h5py.is_hdf5(path)
    assert os.listdir(tmp_path) == ["run.h5"]  # nothing half made is left beside it


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="the recording cannot be created"):
        samples.recorder(tmp_path / "file" / "run.h5").prepare()


CREATED_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from counterstream.engine.recorder import RecordingError
from tests.engine.recorder import samples
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    samples.recorder(Path(sys.argv[1])).prepare()
except RecordingError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system cannot limit a file's size")
@pytest.mark.parametrize("limit", [0, 1000, 20_000])
def test_a_file_that_finds_no_room_is_told_of_in_one_line(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.h5"
    command = [sys.executable, "-c", CREATED_ON_A_FULL_DISK, str(path), str(limit)]
    root = Path(__file__).parents[3]
    writer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert writer.stderr == f"{path}: the recording cannot be created: {os.strerror(errno.EFBIG)}\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": {}}, "weights must hold every enrolled projection (got none for 'image->v1')"),
        (
            {"weights": samples.weights(0) | {"v1->digit": np.zeros((6, 10))}},
            "weights of 'v1->digit' must have shape (10, 6) (got (6, 10))",
        ),
        (
            {"weights": samples.weights(0) | {"v1->digits": np.zeros(3)}},
            "projection 'v1->digits' is not enrolled. Did you mean 'v1->digit'?",
        ),
        ({"signals": {"v1": {"rate": 0}}}, "must hold the rate of every enrolled population (got none for 'stage1.b"),
        ({"signals": {"stage1.block": {}}}, "population 'stage1.block' is not enrolled. Did you mean 'stage1.block1'?"),
        (
            {"signals": samples.signals(0) | {"v1": {"rate": np.zeros((2, 6))}}},
            "the rate of 'v1' must have shape (3, 6) (got (2, 6))",
        ),
        ({"alignment": {"matrix_angel": {}}}, "alignment 'matrix_angel' is not enrolled. Did you mean 'matrix_angle'?"),
        ({"alignment": {"delta_angle": {"v3": 1}}}, "population 'v3' is not enrolled."),
        ({"metrics": {"los": 1}}, "metric 'los' is not enrolled. Did you mean 'loss'?"),
        ({"step": -1, "metrics": {}}, "step must not be negative (got -1)"),
        ({"step": 4, "metrics": {}}, "step of metrics must be greater than that of the last record, 4 (got 4)"),
        ({"step": 105.5, "metrics": {}}, "step must be a whole number (got 105.5)"),
        ({"epoch": float("nan"), "metrics": {}}, "epoch must be finite and not negative (got nan)"),
        ({"epoch": float("inf"), "metrics": {}}, "epoch must be finite and not negative (got inf)"),
        ({"epoch": -0.5, "metrics": {}}, "epoch must be finite and not negative (got -0.5)"),
        (
            {"epoch": 0.5, "alignment": {}},
            "epoch of alignment must not be less than that of the last record, 1 (got 0.5)",
        ),
        # what fits is not recorded either, and its buffers come back
        ({"weights": samples.weights(0), "metrics": {"los": 1}}, "metric 'los' is not enrolled"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_at_once(tmp_path: Path, given: Any, message: str) -> None:
    with samples.recorder(tmp_path / "run.h5", buffers=1).prepare() as recorder:
        samples.record(recorder, 4)
        with pytest.raises(RecordingError, match=re.escape(message)):
            recorder.write(**({"step": 8, "epoch": 2} | given))
        samples.record(recorder, 8)  # and the recording goes on
    assert steps_of(tmp_path / "run.h5") == everywhere([4, 8])


def test_an_error_in_the_midst_of_copying_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(dict[str, np.ndarray]):
        def __getitem__(self, name: str) -> np.ndarray:
            if name == "v1->digit~":
                raise ZeroDivisionError
            return super().__getitem__(name)

    with samples.recorder(tmp_path / "run.h5", buffers=1).prepare() as recorder:
        with pytest.raises(ZeroDivisionError):
            recorder.write(step=0, epoch=0, weights=Broken(samples.weights(0)))
        samples.record(recorder, 0)
    with h5py.File(tmp_path / "run.h5") as file:
        assert confirmed(file["synapses"]).tolist() == [0]
