"""The file as other tools see it: plain h5py and xarray."""

import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from counterstream.engine.recorder import Alignment, GitState, Metrics, Signals, Weights
from counterstream.engine.recorder.datasets import CHUNK_BYTES, chunk_shape

from . import samples

UNSEEN = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)  # all but the centre tap, as on a 1x1 map
SYNAPSES = [
    samples.synapse("image->v1", unseen=UNSEEN),
    samples.synapse("stage1.block1.conv1"),
    samples.synapse("stage1.block1.conv1~", tie="sign_of stage1.block1.conv1"),
]
KEPT = [synapse.projection for synapse in SYNAPSES]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    weights = Weights(SYNAPSES)
    git = GitState(commit="0a1b", dirty=True)
    with samples.recorder(path, weights, *samples.everything()[1:], git=git).prepare() as recorder:
        for step in (0, 10, 20):
            given = {name: array for name, array in samples.weights(step).items() if name in KEPT}
            recorder.write(step=step, epoch=step / 20, weights=given, alignment=samples.alignment(step))
            recorder.write(step=step, epoch=step / 20, metrics={"loss": step / 100})
        recorder.write(step=20, epoch=1.0, signals=samples.signals(20))
        recorder.result("test_accuracy", 0.75)
    return path


def test_plain_h5py_reads_what_the_document_says(path: Path) -> None:
    with h5py.File(path) as file:
        assert (file.attrs["magic"], file.attrs["format_version"]) == ("counterstream", 2)
        assert (file.attrs["learning"], file.attrs["seed"], file.attrs["status"]) == ("kolen_pollack", 7, "complete")
        assert (file.attrs["git_commit"], file.attrs["git_dirty"], file.attrs["resumptions"]) == ("0a1b", 1, 0)
        assert file.attrs["package_version"]
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
        assert set(file["signals/v1"]) == {"rate", "step", "epoch", "sample", "label", "channel"}
        assert file["signals/stage1.block1/delta"].attrs["partner"] == "stage1.block1~"
        assert (file["signals/sample"][:].tolist(), file["signals/label"][:].tolist()) == (
            samples.SAMPLES,
            samples.LABELS,
        )
        angle = file["alignment/projections/stage1.block1.conv1/matrix_angle"]
        assert (angle.attrs["reverse"], angle.attrs["units"]) == ("stage1.block1.conv1~", "degree")
        assert "units" not in file["alignment/projections/stage1.block1.conv1/norm_ratio"].attrs


def test_every_group_shows_its_own_coordinates(path: Path) -> None:
    with h5py.File(path) as file:
        for owner, places in {
            "synapses": ("synapses/image->v1",),
            "signals": ("signals/v1", "signals/stage1.block1"),
            "alignment": ("alignment/projections", "alignment/projections/v1->digit", "alignment/populations/v1"),
        }.items():
            for place in places:
                assert file[place]["step"] == file[owner]["step"]
                assert file[place]["epoch"] == file[owner]["epoch"]
        assert file["signals/v1/sample"] == file["signals/sample"]
        assert file["synapses/image->v1/weights"].dims[0][0] == file["synapses/step"]
        assert file["signals/v1/rate"].dims[1][0] == file["signals/sample"]
        assert len({file[group]["step"].id.get_offset() for group in ("synapses", "alignment", "metrics")}) <= 3
        assert file["synapses/step"] != file["alignment/step"]


def test_all_four_groups_stand_where_nothing_is_recorded(tmp_path: Path) -> None:
    for number, recordables in enumerate([(Weights([]),), (Metrics([]),), (Signals([]), Alignment())]):
        path = tmp_path / f"{number}.h5"
        samples.recorder(path, *recordables).prepare().close()
        with h5py.File(path) as file:
            for place in ("synapses", "signals", "alignment", "metrics"):
                expected = {"step", "epoch"} | ({"projections", "populations"} if place == "alignment" else set())
                assert set(file[place]) == expected
            assert set(file["alignment/projections"]) == {"step", "epoch"}


def test_xarray_labels_weights(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, group="synapses/stage1.block1.conv1", engine="h5netcdf") as data:
        assert data.weights.dims == ("step", "out", "in", "kernel_row", "kernel_column")
        assert data.epoch.dims == ("step",)
        last = data.weights.sel(step=20, out=5, kernel_row=1)
        np.testing.assert_array_equal(last, samples.weights(20)["stage1.block1.conv1"][5, :, 1])
        assert float(last.epoch) == 1.0
        assert data.weights.attrs["source"] == "v1"


def test_xarray_labels_signals_alignment_and_metrics(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path, group="signals/stage1.block1", engine="h5netcdf") as data:
        assert data.delta.dims == ("step", "sample", "channel", "row", "column")
        assert data.label.dims == ("sample",)
        chosen = data.delta.sel(step=20).where(data.label == 1, drop=True)
        np.testing.assert_array_equal(chosen, samples.signals(20)["stage1.block1"]["delta"][[0, 2]])
        assert chosen.sample.values.tolist() == [3, 21]
    with xarray.open_dataset(path, group="alignment/projections/v1->digit", engine="h5netcdf") as data:
        assert data.matrix_angle.sel(step=10) == samples.alignment(10)["matrix_angle"]["v1->digit"]
        assert data.norm_ratio.dims == ("step",)
    with xarray.open_dataset(path, group="alignment/populations/v1", engine="h5netcdf") as data:
        assert data.local_angle.sel(step=20) == 20.125
    with xarray.open_dataset(path, group="metrics", engine="h5netcdf") as data:
        assert data.loss.dims == ("step",)
        assert data.to_dataframe().loc[20, "loss"] == 0.2


def test_xarray_opens_the_whole_tree(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    if not hasattr(xarray, "open_datatree"):
        pytest.skip("this xarray has no trees")
    tree = xarray.open_datatree(path, engine="h5netcdf")
    assert set(tree["synapses"].children) == {"image->v1", "stage1.block1.conv1", "stage1.block1.conv1~"}
    assert set(tree["alignment"].children) == {"projections", "populations"}
    assert set(tree["signals"].children) == {"v1", "stage1.block1"}
    tree.close()


@pytest.mark.parametrize("shape", [(10,), (64, 3, 7, 7), (512, 512, 3, 3), (1000, 2048), (2, 10_000_000)])
def test_chunks_hold_one_record_and_about_a_megabyte(shape: tuple[int, ...]) -> None:
    chunk = chunk_shape(shape, 4)
    assert chunk[0] == 1
    whole, size = 4 * np.prod(shape), 4 * np.prod(chunk)
    assert size <= CHUNK_BYTES
    assert size >= min(whole, CHUNK_BYTES / 2)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_state_of_the_folders_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert GitState.of(tmp_path) == GitState()
    git(tmp_path, "init", "-q")
    assert GitState.of(tmp_path) == GitState()  # a repository without a commit
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    state = GitState.of(tmp_path / "sub")
    assert len(state.commit) == 40
    assert not state.dirty
    (tmp_path / "b").write_text("a result, which nobody means to commit")
    assert not GitState.of(tmp_path).dirty
    (tmp_path / "a").write_text("2")
    assert GitState.of(tmp_path) == GitState(commit=state.commit, dirty=True)


def test_without_git_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert GitState.of(Path()) == GitState()
