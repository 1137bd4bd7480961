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

from counterstream.analysis import AnalysisError, Run, validate

from .recordings import SHAPES, add_signal, add_weights, begun, index, pair, record


@pytest.fixture(scope="module", params=[1, 2])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return record(folder / "kp.h5", curve=lambda epoch, depth: 80 - 5 * epoch + depth, version=request.param)


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
        assert [len(run.instants(group)) for group in ("synapses", "alignment", "metrics")] == [11, 11, 10]
        assert repr(run).endswith("kolen_pollack, 11 snapshots, complete)")


def test_both_versions_are_valid(recording: Path) -> None:
    assert validate(recording) == []


def test_synapses_come_in_the_order_of_the_circuit(recording: Path) -> None:
    with Run.open(recording) as run:
        forward = [name for name, found in run.synapses.items() if found.role == "forward"]
        assert forward == list(SHAPES)
        assert run.pairs == tuple((name, f"{name}~") for name in list(SHAPES)[1:])
        conv = run.synapses["stage2.block1.conv1~"]
        assert (conv.reverse_of, conv.tie, conv.shape) == ("stage2.block1.conv1", None, (16, 8, 3, 3))
        assert run.synapses["image->v1"].rules == {"engaged": "-post.apical * pre.rate - decay * w"}


def test_metrics_are_a_frame(recording: Path) -> None:
    with Run.open(recording) as run:
        table = run.metrics()
    assert list(table.columns) == ["step", "epoch", "loss", "accuracy"]
    assert table["loss"].tolist() == [2.3 / (epoch + 1) for epoch in range(10)]
    assert table["step"].tolist() == [23 * epoch for epoch in range(1, 11)]


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
    weights = np.array([[1.0, -0.15625], [3.140625, 0.0]])  # exact in all four
    with Run.open(pair(tmp_path / "run.h5", weights, weights, precision=precision)) as run:
        np.testing.assert_array_equal(run.weights("p"), weights)
        assert run.weights("p").dtype.kind == "f"


def test_signals_are_read_by_population(tmp_path: Path) -> None:
    rates = [np.arange(12.0).reshape(4, 3), np.ones((4, 3))]
    with begun(tmp_path / "run.h5") as file:
        index(file["signals"], [(0, 0), (7, 1)])
        add_signal(file, "v1", 4, rate=rates, delta=[-rate for rate in rates])
        add_signal(file, "v0", 4, rate=rates)
    assert validate(tmp_path / "run.h5") == []
    with Run.open(tmp_path / "run.h5") as run:
        assert list(run.signals) == ["v1", "v0"]
        assert (run.signals["v1"].quantities, run.signals["v1"].shape) == (("rate", "delta"), (3,))
        assert run.instants("signals").steps.tolist() == [0, 7]
        np.testing.assert_array_equal(run.signal("v1", "delta", 0), -rates[0])
        assert run.probe()["label"].tolist() == [0, 1, 2, 3]
        with pytest.raises(AnalysisError, match="'v0' has no 'delta'; recorded: rate"):
            run.signal("v0", "delta")
        with pytest.raises(AnalysisError, match="record 2 of the signals does not exist; the file holds 2"):
            run.signal("v0", "rate", 2)
        with pytest.raises(AnalysisError, match=r"population 'v2' is not recorded\. recorded: v1, v0"):
            run.signal("v2", "rate")


def test_an_unconfirmed_row_is_not_there(copy: Path) -> None:
    """As a kill between data and index leaves it."""
    with h5py.File(copy, "r+") as file:
        file["synapses/step"][10] = -1
    with Run.open(copy) as run:
        assert len(run.steps) == 10
        np.testing.assert_array_equal(run.weights("image->v1"), run.weights("image->v1", 9))


def test_an_index_that_was_stretched_but_never_written(tmp_path: Path) -> None:
    with begun(tmp_path / "run.h5") as file:
        file["synapses/step"].resize(7, axis=0)
    with Run.open(tmp_path / "run.h5") as run:
        assert len(run.steps) == 0


def test_a_running_file_is_opened_anew_where_its_writer_was_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that read as NaN in a growing file are asked for again, and are the run's own if they stay."""
    monkeypatch.setattr("counterstream.analysis.run.PAUSE", 0)
    with begun(tmp_path / "run.h5") as file:
        index(file["synapses"], [(0, 0)])
        add_weights(file, "p", [np.full((2, 2), np.nan)])
    with Run.open(tmp_path / "run.h5") as run:
        before = run._store._file
        assert np.isnan(run.weights("p")).all()
        assert run._store._file is not before


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


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"must be a file \(got a folder or a device\)"):
        Run.open(tmp_path)


def test_another_hdf5_file_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(AnalysisError, match="an HDF5 file, but no recording of Counterstream"):
        Run.open(tmp_path / "other.h5")


@pytest.mark.parametrize("place", ["metrics", "synapses/step", "synapses/image->v1/weights"])
def test_what_a_damaged_recording_lacks_is_named(copy: Path, place: str) -> None:
    with h5py.File(copy, "r+") as file:
        del file[place]
    with pytest.raises(AnalysisError, match=re.escape(f"/{place}") + ".*: it lacks this. The recording is damaged"):  # noqa: SIM117
        with Run.open(copy) as run:
            list(run.synapses)


def test_analysis_errors_leave_with_code_2() -> None:
    assert AnalysisError.exit_code == 2


def test_analysis_loads_neither_torch_nor_the_engine() -> None:
    code = (
        "import sys, counterstream.analysis; "
        "foreign = ('torch', 'matplotlib', 'counterstream.engine', 'counterstream.circuits'); "
        "print([module for module in sys.modules if module.startswith(foreign)])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
