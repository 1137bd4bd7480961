"""Angles: exact where they are known, and streamed from a file."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterstream.analysis import AnalysisError, Run, angle_degrees, delta_angles, local_angles, matrix_angles
from counterstream.analysis import vectors as vectors_module
from counterstream.analysis.vectors import Standing

from .recordings import SHAPES, at_angle, begun, pair, record

SEEDS = st.integers(0, 2**32 - 1)
LARGE = vectors_module.FEW + 1000


@given(SEEDS, st.integers(2, 200))
def test_the_angle_is_the_arc_cosine_where_that_is_good(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    u, v = random.normal(size=(2, size))
    expected = math.degrees(math.acos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))
    assert angle_degrees(u, v) == pytest.approx(expected, abs=1e-5)


@given(SEEDS, st.floats(1e-3, 1e3))
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


# -- streamed, against the formula ------------------------------------------------------------------------------


def compared(w: np.ndarray, b: np.ndarray, pieces: int = 3) -> Standing:
    """As `compare` does it, from so many pieces."""

    def added(standing: Standing) -> Standing:
        for first, second in zip(np.array_split(w.ravel(), pieces), np.array_split(b.ravel(), pieces), strict=True):
            standing.add(first.copy(), second.copy())
        return standing

    stand = added(Standing(exact=w.size < vectors_module.FEW))
    return added(Standing(exact=True, scale=stand.best_scale)) if stand.doubtful else stand


@pytest.mark.parametrize("size", [300, LARGE])
@pytest.mark.parametrize("ratio", [1.0, 1.1, 0.01, 64.0])
@pytest.mark.parametrize("degrees", [0, 1e-5, 1e-3, 0.1, 8, 45, 90, 120, 179, 179.999])
def test_streamed_angles_are_exact_to_a_millionth_of_a_degree(size: int, ratio: float, degrees: float) -> None:
    random = np.random.default_rng(size)
    w = random.normal(size=size)
    b = (ratio * at_angle(w, degrees, random)).astype(np.float32)
    stand, w = compared(w.astype(np.float32), b), w.astype(np.float32)
    assert stand.angle == pytest.approx(angle_degrees(w, b), abs=1e-6)
    assert stand.ratio == pytest.approx(np.linalg.norm(b.astype(float)) / np.linalg.norm(w.astype(float)), rel=1e-7)
    assert stand.difference == pytest.approx(np.linalg.norm(w.astype(float) - b), rel=1e-6)


@given(SEEDS, st.floats(-2, 2), st.integers(1, 500))
@settings(max_examples=50)
def test_angles_do_not_depend_on_length_order_or_side(seed: int, exponent: float, size: int) -> None:
    random = np.random.default_rng(seed)
    w, b = random.normal(size=(2, size))
    angle = compared(w, b).angle
    assert compared(10**exponent * w, b).angle == pytest.approx(angle, abs=1e-6)
    assert compared(b, w).angle == pytest.approx(angle, abs=1e-6)
    assert compared(-w, b).angle == pytest.approx(180 - angle, abs=1e-6)
    order = random.permutation(size)
    assert compared(w[order], b[order]).angle == pytest.approx(angle, abs=1e-6)


@pytest.mark.parametrize("size", [300, LARGE])
def test_equal_weights_stand_at_exactly_zero(size: int) -> None:
    w = np.random.default_rng(0).normal(size=size).astype(np.float32)
    stand = compared(w, w)
    assert (stand.angle, stand.difference, stand.ratio) == (0, 0, 1)


def test_a_first_piece_of_zeros_misleads_nobody() -> None:
    random = np.random.default_rng(1)
    w = random.normal(size=LARGE)
    b = 30 * at_angle(w, 3, random)
    w[: LARGE // 2] = b[: LARGE // 2] = 0
    w, b = w.astype(np.float32), b.astype(np.float32)
    assert compared(w, b).angle == pytest.approx(angle_degrees(w, b), abs=1e-6)


@pytest.mark.parametrize(("w", "b"), [([0, 0], [1, 1]), ([1, 1], [0, 0]), ([1, np.nan], [1, 1]), ([1, np.inf], [1, 1])])
def test_what_has_no_direction_has_no_angle(w: list[float], b: list[float]) -> None:
    with np.errstate(invalid="ignore"):
        assert math.isnan(compared(np.array(w), np.array(b), pieces=1).angle)


# -- from files -----------------------------------------------------------------------------------------------


def curve(epoch: float, depth: float) -> float:
    return 80 - 7 * epoch + 5 * depth


def test_matrix_angles_are_those_recorded(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=curve)) as run:
        table = matrix_angles(run)
        device = matrix_angles(run, source="recorded")
    assert table["projection"].unique().tolist() == list(SHAPES)[1:]
    for frame in (table, device):
        expected = [curve(epoch, depth / 4) for epoch, depth in zip(frame["epoch"], frame["depth"], strict=True)]
        np.testing.assert_allclose(frame["angle_degrees"], expected, atol=1e-4)
    assert table["norm_ratio"].between(1 - 1e-6, 1 + 1e-6).all()
    assert (table["step"] == 23 * table["snapshot"]).all()
    np.testing.assert_allclose(table["norm_reverse"], table["norm_forward"] * table["norm_ratio"])


def test_chosen_snapshots_count_from_both_ends(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=curve)) as run:
        assert matrix_angles(run, [0, -1, 99])["snapshot"].unique().tolist() == [0, 10]
        with pytest.raises(AnalysisError, match="source must be 'weights' or 'recorded'"):
            matrix_angles(run, source="device")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"compression": "gzip"},
        {"compression": "lzf", "shuffle": True},
        {"chunks": (1, 3, 5, 2)},
        {"chunks": (2, 7, 5, 3)},
        {"chunks": (1, 1, 2, 3)},
        {"chunks": (1, 4, 5, 3)},
        {"precision": "bfloat16"},
        {"precision": "float16"},
    ],
)
def test_storage_makes_no_difference(tmp_path: Path, storage: dict[str, Any]) -> None:
    """Chunks as the recorder cuts them, filtered ones, and those of other writers."""
    random = np.random.default_rng(5)
    w, b = ([random.integers(-8, 8, size=(7, 5, 3)) / 8 for _ in range(4)] for _ in range(2))
    with Run.open(pair(tmp_path / "run.h5", w, b, **({"precision": "float32"} | storage))) as run:
        table = matrix_angles(run)
        np.testing.assert_array_equal(run.weights("p", 2), w[2])
    assert table["angle_degrees"].tolist() == pytest.approx([angle_degrees(*both) for both in zip(w, b, strict=True)])


def test_pairs_that_are_cut_differently_are_read_in_step(tmp_path: Path) -> None:
    import h5py

    random = np.random.default_rng(5)
    w, b = random.normal(size=(2, 9, 40))
    path = pair(tmp_path / "run.h5", w, b, chunks=(1, 2, 40))
    with h5py.File(path, "r+") as file:
        group = file["synapses/p~"]
        attributes = dict(group["weights"].attrs)
        del group["weights"]
        group.create_dataset("weights", data=b[np.newaxis], chunks=(1, 9, 7)).attrs.update(attributes)
    with Run.open(path) as run:
        assert matrix_angles(run)["angle_degrees"].item() == pytest.approx(angle_degrees(w, b), abs=1e-9)


def test_many_pieces_make_one_angle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterstream.analysis.ranges.PIECE_VALUES", 100)
    with Run.open(record(tmp_path / "run.h5", curve=curve)) as run:
        table = matrix_angles(run)
    expected = [curve(epoch, depth / 4) for epoch, depth in zip(table["epoch"], table["depth"], strict=True)]
    np.testing.assert_allclose(table["angle_degrees"], expected, atol=1e-4)


def test_unseen_taps_are_no_synapses(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    w = random.normal(size=(6, 4, 3, 3))
    b = at_angle(w, 25, random)
    unseen = np.zeros(w.shape, bool)
    unseen[:, :, 0] = unseen[:, :, 2] = True
    seen = ~unseen
    b[unseen] = 1e6
    with Run.open(pair(tmp_path / "run.h5", w, b, unseen)) as run:
        row = matrix_angles(run).iloc[0]
    assert row["angle_degrees"] == pytest.approx(angle_degrees(w[seen], b[seen]), abs=1e-9)
    assert row["norm_ratio"] == pytest.approx(np.linalg.norm(b[seen]) / np.linalg.norm(w[seen]))


def test_a_transpose_tie_stands_at_zero(tmp_path: Path) -> None:
    path = record(tmp_path / "bp.h5", curve=lambda epoch, depth: 0.0, transports=True, tie="transpose_of")
    with Run.open(path) as run:
        assert (matrix_angles(run)["angle_degrees"] == 0).all()
        assert run.synapses["pooled->digit~"].tie == "transpose_of pooled->digit"


def test_without_reverse_projections_there_are_no_matrix_angles(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "dfa.h5", curve=None)) as run:
        assert matrix_angles(run).empty
        assert matrix_angles(run, source="recorded").empty


def test_delta_and_local_angles_are_those_measured(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=curve)) as run:
        delta, local = delta_angles(run), local_angles(run)
    expected = [
        0.7 * curve(epoch, 0.5) + 3 * depth for epoch, depth in zip(delta["epoch"], delta["depth"], strict=True)
    ]
    np.testing.assert_allclose(delta["angle_degrees"], expected)
    np.testing.assert_allclose(local["angle_degrees"], delta["angle_degrees"] / 2)
    assert delta["population"].unique().tolist() == ["v1", "stage1.block1", "stage2.block1"]


def test_version_1_has_delta_angles_alone(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=curve, version=1)) as run:
        assert run.version == 1
        assert len(delta_angles(run)) == 33
        assert local_angles(run).empty
        assert matrix_angles(run, source="recorded").empty
        assert (run.signals, run.probe().empty) == ({}, True)


def test_an_angle_that_was_not_measured_is_left_out(tmp_path: Path) -> None:
    import h5py

    path = record(tmp_path / "run.h5", curve=curve, epochs=2)
    with h5py.File(path, "r+") as file:
        file["alignment/populations/v1/delta_angle"][1] = np.nan
    with Run.open(path) as run:
        assert delta_angles(run)["step"].tolist() == [0, 46, 0, 23, 46, 0, 23, 46]


def test_an_empty_recording_has_no_angles(tmp_path: Path) -> None:
    """As a run leaves it that ended before its first snapshot."""
    begun(tmp_path / "run.h5", status="failed").close()
    with Run.open(tmp_path / "run.h5") as run:
        assert matrix_angles(run).empty
        assert delta_angles(run).empty
        assert run.metrics().empty
