"""Angles: exact where they are known, and streamed from a file."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.analysis import (
    AnalysisError,
    Run,
    angle_degrees,
    angles_over_training,
    comparison,
    delta_angles,
    difference_decay,
    matrix_angles,
    summary,
)
from counterstream.engine.recorder import Recorder

from .recordings import SHAPES, at_angle, record, schema, synapse


@given(st.integers(0, 2**32 - 1), st.integers(2, 200))
def test_the_angle_is_the_arc_cosine_where_that_is_good(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    u, v = random.normal(size=(2, size))
    expected = math.degrees(math.acos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))
    assert angle_degrees(u, v) == pytest.approx(expected, abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_the_angle_is_exact_at_its_ends(seed: int, scale: float) -> None:
    w = np.random.default_rng(seed).normal(size=(5, 7))
    assert angle_degrees(w, w) == 0
    assert angle_degrees(w, -w) == 180
    assert angle_degrees(w, scale * w) < 1e-13


@pytest.mark.parametrize("degrees", [1e-9, 1e-6, 0.01, 12, 90, 179.99, 180 - 1e-6])
def test_small_angles_keep_their_digits(degrees: float) -> None:
    u = np.array([1.0, 0.0])
    v = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    assert angle_degrees(u, v) == pytest.approx(degrees, rel=1e-7, abs=1e-13)


def test_a_zero_array_has_no_angle() -> None:
    assert math.isnan(angle_degrees(np.zeros(3), np.ones(3)))


def test_matrix_angles_are_those_recorded(tmp_path: Path) -> None:
    def curve(epoch: float, depth: float) -> float:
        return 80 - 7 * epoch + 5 * depth

    with Run.open(record(tmp_path / "run.h5", curve=curve)) as run:
        table = matrix_angles(run)
        last = matrix_angles(run, snapshots=[-1])
    assert list(table["projection"].unique()) == list(SHAPES)[1:]  # the first projection has no reverse
    assert len(table) == 5 * 11
    for row in table.itertuples():
        assert row.angle_degrees == pytest.approx(curve(row.epoch, row.depth / 4), abs=1e-4)  # float32 on disk
        assert row.step == 23 * row.epoch
    np.testing.assert_allclose(table["norm_ratio"], 1, rtol=1e-6)
    pd.testing.assert_frame_equal(last, table[table["snapshot"] == 10].reset_index(drop=True))


def test_norms_difference_and_signs_by_hand(tmp_path: Path) -> None:
    w, b = np.array([[3.0, 0.0], [0.0, -4.0]]), np.array([[6.0, 0.0], [8.0, 0.0]])
    run = _pair(tmp_path / "run.h5", w, b)
    row = matrix_angles(run).iloc[0]
    assert row["norm_ratio"] == 2
    assert row["difference"] == pytest.approx(math.sqrt(9 + 64 + 16))
    assert row["sign_agreement"] == 0.5
    assert row["angle_degrees"] == pytest.approx(math.degrees(math.acos(18 / 50)))


def test_taps_that_no_position_sees_are_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    w = random.normal(size=(4, 3, 3, 3))
    b = random.normal(size=(4, 3, 3, 3))
    b[..., 1, 1] = at_angle(w[..., 1, 1], 25, random)
    unseen = np.ones((3, 3), bool)
    unseen[1, 1] = False
    run = _pair(tmp_path / "run.h5", w, b, unseen)
    assert matrix_angles(run)["angle_degrees"].item() == pytest.approx(25, abs=1e-4)


def test_a_transpose_tie_stands_at_zero(tmp_path: Path) -> None:
    path = record(tmp_path / "bp.h5", curve=lambda epoch, depth: 0.0, transports=True, tie="transpose_of")
    with Run.open(path) as run:
        assert (matrix_angles(run)["angle_degrees"] == 0).all()
        assert difference_decay(run)["ratio"].isna().all()
        assert run.synapses["pooled->digit~"].tie == "transpose_of pooled->digit"


def test_without_reverse_projections_there_are_no_matrix_angles(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "dfa.h5", curve=None)) as run:
        assert matrix_angles(run).empty
        assert difference_decay(run).empty
        figures = summary(run)
    assert figures["median_matrix_angle"] is None
    assert figures["median_delta_angle"] == pytest.approx(0.7 * 80 + 3)


def test_delta_angles_leave_out_what_was_not_measured(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.h5", schema(populations=["v1", "v2"])) as recorder:
        recorder.snapshot(step=0, epoch=0, weights={}, delta_angles={"v1": 20, "v2": 30})
        recorder.snapshot(step=5, epoch=1, weights={}, delta_angles={"v2": 10})
        recorder.snapshot(step=9, epoch=2, weights={})
    with Run.open(tmp_path / "run.h5") as run:
        table = delta_angles(run)
        assert table[["population", "step", "angle_degrees"]].values.tolist() == [
            ["v1", 0, 20], ["v2", 0, 30], ["v2", 5, 10]
        ]  # fmt: skip
        assert summary(run)["median_delta_angle"] == 10


def test_difference_decay_measures_the_ratio_to_the_start(tmp_path: Path) -> None:
    """At equal norms |W - B| is 2 sin(angle / 2) |W|."""
    with Run.open(record(tmp_path / "run.h5", curve=lambda epoch, depth: 80 - 7 * epoch)) as run:
        table = difference_decay(run)
        length = {name: np.linalg.norm(run.weights(name, 10)) for name, _ in run.pairs}
        start = {name: np.linalg.norm(run.weights(name, 0)) for name, _ in run.pairs}
    assert (table[table["snapshot"] == 0]["ratio"] == 1).all()
    for row in table[table["snapshot"] == 10].itertuples():
        expected = length[row.projection] * math.sin(math.radians(5)) / start[row.projection]
        assert row.ratio == pytest.approx(expected / math.sin(math.radians(40)), rel=1e-5)


def test_a_summary_is_plain_values(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=lambda epoch, depth: 20 + 10 * depth)) as run:
        figures = summary(run)
    assert figures["median_matrix_angle"] == pytest.approx(25, abs=1e-4)
    assert figures["largest_matrix_angle"] == pytest.approx(30, abs=1e-4)
    assert figures["median_delta_angle"] == pytest.approx(0.7 * 25 + 3)
    assert (figures["test_accuracy"], figures["seed"], figures["status"]) == (0.98, 0, "complete")
    assert all(value is None or type(value) in {int, float, bool, str} for value in figures.values())


def test_a_comparison_gives_mean_and_spread_over_seeds(tmp_path: Path) -> None:
    runs = [Run.open(record(tmp_path / f"{s}.h5", curve=lambda e, d, s=s: 10.0 + s, seed=s)) for s in (0, 2)]
    table = comparison({"kp": runs, "one": runs[:1]}).set_index("system")
    assert table.loc["kp", "test_accuracy"] == pytest.approx(0.97)
    assert table.loc["kp", "test_accuracy_spread"] == pytest.approx(0.02 / math.sqrt(2))
    assert table.loc["kp", "median_matrix_angle"] == pytest.approx(11, abs=1e-4)
    assert table["runs"].tolist() == [2, 1]
    assert math.isnan(table.loc["one", "test_accuracy_spread"])


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_the_figure_draws_every_kind_of_system(tmp_path: Path, ending: str) -> None:
    runs = {
        "Kolen-Pollack": [Run.open(record(tmp_path / f"{s}.h5", curve=lambda e, d: 90 - e, seed=s)) for s in (0, 1)],
        "backprop": [Run.open(record(tmp_path / "bp.h5", curve=lambda e, d: 0.0, transports=True))],
        "direct": [Run.open(record(tmp_path / "dfa.h5", curve=None))],
    }
    path = angles_over_training(runs, tmp_path / "figures" / f"angles.{ending}")
    assert path.read_bytes().startswith(b"%PDF" if ending == "pdf" else b"\x89PNG")
    if ending == "png":
        from matplotlib.image import imread

        image = imread(path)
        assert image.shape[1] > 1000
        assert 0.02 < (image[..., :3].mean(axis=2) < 0.95).mean() < 0.5  # neither blank nor a blot


def test_an_empty_recording_has_no_angles_and_a_blank_panel(tmp_path: Path) -> None:
    """As a run leaves it that ended before its first snapshot."""
    with Recorder(tmp_path / "run.h5", schema(synapse("p", (2, 2)), synapse("p~", (2, 2), reverse_of="p"))):
        pass
    with Run.open(tmp_path / "run.h5") as run:
        assert matrix_angles(run).empty
        assert delta_angles(run).empty
        assert summary(run)["median_matrix_angle"] is None
        assert angles_over_training({"kp": [run]}, tmp_path / "angles.png").exists()


def test_weights_that_ran_away_have_no_angle(tmp_path: Path) -> None:
    run = _pair(tmp_path / "run.h5", np.array([[1.0, np.nan]]), np.array([[1.0, 2.0]]))
    assert matrix_angles(run)["angle_degrees"].isna().all()
    assert summary(run)["median_matrix_angle"] is None


def test_a_figure_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"must end in \.png, \.pdf, \.svg \(got '\.jpeg'\)"):
        angles_over_training({}, tmp_path / "angles.jpeg")
    with pytest.raises(AnalysisError, match="there is no run to draw"):
        angles_over_training({"kp": []}, tmp_path / "angles.png")


def _pair(path: Path, w: np.ndarray, b: np.ndarray, unseen: np.ndarray | None = None) -> Run:
    """A run of one snapshot of one projection and its reverse."""
    pair = synapse("p", w.shape, unseen=unseen), synapse("p~", w.shape, reverse_of="p")
    with Recorder(path, schema(*pair), precision="float64") as recorder:
        recorder.snapshot(step=0, epoch=0, weights={"p": w, "p~": b})
    return Run.open(path)
