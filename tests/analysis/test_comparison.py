"""Several runs: intervals that cover what they should, pairs by seed, tables by name."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterstream.analysis import (
    TABLES,
    Run,
    by_system,
    comparison,
    difference_interval,
    differences,
    interval,
    summary,
    table,
)

from .recordings import record


def test_intervals_cover_the_mean_about_as_often_as_they_say() -> None:
    """Of 300 samples of 20 normal values; the percentile bootstrap is known to fall a little short."""
    random = np.random.default_rng(0)
    ends = [interval(random.normal(3, 2, size=20), resamples=400) for _ in range(300)]
    covered = np.mean([low <= 3 <= high for low, high in ends])
    assert 0.88 < covered < 0.97


def test_difference_intervals_cover_the_difference() -> None:
    random = np.random.default_rng(1)
    ends = [difference_interval(random.normal(5, 1, 15), random.normal(3, 2, 12), resamples=400) for _ in range(300)]
    assert 0.88 < np.mean([low <= 2 <= high for low, high in ends]) < 0.97


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8), st.floats(-50, 50))
def test_intervals_move_with_the_values(values: list[float], shift: float) -> None:
    low, high = interval(values, resamples=200)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    moved = interval([value + shift for value in values], resamples=200)
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-9)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan]])
def test_one_value_has_no_interval(values: list[float]) -> None:
    assert all(math.isnan(end) for end in interval(values))
    assert all(math.isnan(end) for end in difference_interval(values, [1.0, 2.0]))


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, list[Run]]:
    """Two systems with the seeds 0 and 2, a third with one run; seeds differ by far more than systems do."""
    made = []
    for learning, gain, seeds in (("bp", 0.0, (0, 2)), ("kp", 0.005, (0, 2)), ("fa", -0.3, (7,))):
        for seed in seeds:
            path = tmp_path / f"{learning}{seed}.h5"
            record(
                path,
                learning=learning,
                curve=lambda e, d, s=seed: 10.0 + s,
                seed=seed,
                epochs=2,
                accuracy=0.9 - seed / 20 + gain,
            )
            made.append(Run.open(path))
    return by_system(made)


def test_a_comparison_gives_mean_spread_and_interval(runs: dict[str, list[Run]]) -> None:
    compared = comparison(runs)
    rows = compared.set_index(["system", "quantity"])
    row = rows.loc[("bp", "test_accuracy")]
    assert (row["runs"], row["mean"]) == (2, pytest.approx(0.85))
    assert row["spread"] == pytest.approx(0.1 / math.sqrt(2))
    assert (row["low"], row["high"]) == pytest.approx((0.8, 0.9))
    assert rows.loc[("kp", "median_matrix_angle")]["mean"] == pytest.approx(11, abs=1e-4)
    assert rows.loc[("fa", "test_accuracy")][["spread", "low", "high"]].isna().all()
    assert compared.attrs == {
        "method": "percentile bootstrap of the mean over runs", "level": 0.95, "resamples": 10_000, "seed": 0,
        "left_out": [],
    }  # fmt: skip


def test_differences_pair_what_seeds_pair(runs: dict[str, list[Run]]) -> None:
    rows = differences(runs).set_index(["system", "quantity"])
    paired, single = rows.loc[("kp", "test_accuracy")], rows.loc[("fa", "test_accuracy")]
    assert (bool(paired["paired"]), paired["runs"]) == (True, 2)
    assert (paired["low"], paired["high"]) == pytest.approx((0.005, 0.005))  # the seeds' spread is gone
    assert (bool(single["paired"]), single["runs"]) == (False, 1)
    assert single["difference"] == pytest.approx(0.9 - 0.35 - 0.3 - 0.85)
    assert math.isnan(single["low"])
    with pytest.raises(KeyError, match="baseline 'xx': it must be one of bp, kp, fa"):
        differences(runs, "xx")


def test_a_summary_is_plain_values(tmp_path: Path) -> None:
    with Run.open(record(tmp_path / "run.h5", curve=lambda epoch, depth: 20 + 10 * depth)) as run:
        figures = summary(run)
    assert figures["median_matrix_angle"] == pytest.approx(25, abs=1e-4)
    assert figures["largest_matrix_angle"] == pytest.approx(30, abs=1e-4)
    assert figures["median_delta_angle"] == pytest.approx(0.7 * 25 + 3)
    assert figures["median_local_angle"] == pytest.approx((0.7 * 25 + 3) / 2)
    assert (figures["test_accuracy"], figures["seed"], figures["status"]) == (0.98, 0, "complete")
    assert all(value is None or type(value) in {int, float, bool, str} for value in figures.values())


def test_a_summary_without_weights_takes_the_devices_angles(tmp_path: Path) -> None:
    import h5py

    path = record(tmp_path / "run.h5", curve=lambda epoch, depth: 20 + 10 * depth)
    with h5py.File(path, "r+") as file:
        for name in [name for name in file["synapses"] if "->" in name or "stage" in name]:
            del file["synapses"][name]
    with Run.open(path) as run:
        assert summary(run)["median_matrix_angle"] == pytest.approx(25)


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("kolen_pollack", "weight_mirror")])
def test_tables_tell_runs_apart(runs: dict[str, list[Run]], name: str) -> None:
    found = table(name, [run for members in runs.values() for run in members])
    assert list(found.columns[:3]) == ["run", "learning", "seed"]
    assert found["run"].unique().tolist() == ["bp0.h5", "bp2.h5", "kp0.h5", "kp2.h5", "fa7.h5"]
