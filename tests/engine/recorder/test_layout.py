"""The file as other tools see it: plain h5py and xarray."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from counterstream.engine.recorder import Recorder
from counterstream.engine.recorder.layout import CHUNK_BYTES, chunk_shape

from . import samples

UNSEEN = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)  # all but the centre tap, as on a 1x1 map
SYNAPSES = [
    samples.synapse("image->v1", unseen=UNSEEN),
    samples.synapse("stage1.block1.conv1"),
    samples.synapse("stage1.block1.conv1~", tie="sign_of stage1.block1.conv1"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    schema = samples.schema(synapses=SYNAPSES)
    with Recorder(path, schema) as recorder:
        for step in (0, 10, 20):
            weights = samples.weights(step, schema)
            recorder.snapshot(step=step, epoch=step / 20, weights=weights, delta_angles={"v1": step})
            recorder.metrics(step=step, epoch=step / 20, values={"loss": step / 100})
        recorder.result("test_accuracy", 0.75)
    return path


def test_plain_h5py_reads_what_the_document_says(path: Path) -> None:
    with h5py.File(path) as file:
        assert (file.attrs["magic"], file.attrs["format_version"]) == ("counterstream", 1)
        assert (file.attrs["learning"], file.attrs["seed"], file.attrs["status"]) == (
            "kolen_pollack",
            7,
            "complete",
        )
        assert file["circuit"].asstr()[()] == "format: 1\nname: digits_cnn\n"
        assert dict(file["environment"].attrs) == {"torch": "2.11.0", "python": "3.11"}
        assert file["results"].attrs["test_accuracy"] == 0.75
        weights = file["synapses/stage1.block1.conv1~/weights"]
        assert weights.shape == (3, 6, 4, 3, 3)
        assert (weights.attrs["role"], weights.attrs["reverse_of"]) == ("feedback", "stage1.block1.conv1")
        assert weights.attrs["rule_engaged"] == "-post.apical * pre.rate - decay * w"
        assert weights.attrs["tie"] == "sign_of stage1.block1.conv1"
        assert file["synapses/image->v1/unseen"][0, 0].tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
        assert "unseen" not in file["synapses/stage1.block1.conv1"]


def test_every_group_shows_the_same_coordinates(path: Path) -> None:
    with h5py.File(path) as file:
        for place in ("synapses", "synapses/image->v1", "signals", "signals/v1"):
            assert file[place]["step"] == file["synapses/step"]
            assert file[place]["epoch"] == file["synapses/epoch"]
        assert file["synapses/image->v1/weights"].dims[0][0] == file["synapses/step"]


def test_xarray_labels_weights(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, group="synapses/stage1.block1.conv1", engine="h5netcdf") as data:
        assert data.weights.dims == ("step", "out", "in", "kernel_row", "kernel_column")
        assert data.epoch.dims == ("step",)
        expected = samples.weights(20, samples.schema(synapses=SYNAPSES))
        last = data.weights.sel(step=20, out=5, kernel_row=1)
        np.testing.assert_array_equal(last, expected["stage1.block1.conv1"][5, :, 1])
        assert float(last.epoch) == 1.0
        assert data.weights.attrs["source"] == "v1"


def test_xarray_labels_signals_and_metrics(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, group="signals/v1", engine="h5netcdf") as data:
        assert data.delta_angle.sel(step=10) == 10
    with xarray.open_dataset(path, group="metrics", engine="h5netcdf") as data:
        assert data.loss.dims == ("step",)
        assert data.to_dataframe().loc[20, "loss"] == 0.2


def test_xarray_opens_the_whole_tree(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    if not hasattr(xarray, "open_datatree"):
        pytest.skip("this xarray has no trees")
    tree = xarray.open_datatree(path, engine="h5netcdf")
    assert set(tree["synapses"].children) == {"image->v1", "stage1.block1.conv1", "stage1.block1.conv1~"}
    tree.close()


@pytest.mark.parametrize("shape", [(10,), (64, 3, 7, 7), (512, 512, 3, 3), (1000, 2048), (2, 10_000_000)])
def test_chunks_hold_one_snapshot_and_about_a_megabyte(shape: tuple[int, ...]) -> None:
    chunk = chunk_shape(shape, 4)
    assert chunk[0] == 1
    whole, size = 4 * np.prod(shape), 4 * np.prod(chunk)
    assert size <= CHUNK_BYTES
    assert size >= min(whole, CHUNK_BYTES / 2)
