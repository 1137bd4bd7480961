"""Results over seeds."""

import json

import pytest

from counterstream.engine.training import RunFigures, by_system, summary


def run(system: str, seed: int, **figures: object) -> RunFigures:
    plain = {
        "file": f"{system}-seed{seed}.h5",
        "transports_weights": system == "backprop",
        "test_accuracy": 0.9,
        "seconds_per_step": 0.01,
        "training_seconds": 1.0,
    }
    return RunFigures(system=system, seed=seed, **(plain | figures))  # type: ignore[arg-type]


def test_mean_and_spread_over_seeds() -> None:
    (row,) = by_system([run("backprop", 0, test_accuracy=0.9), run("backprop", 1, test_accuracy=0.94)])
    assert row.seeds == (0, 1)
    assert row.test_accuracy == pytest.approx(0.92)
    assert row.test_accuracy_spread == pytest.approx(0.02 * 2**0.5)  # sample standard deviation
    assert by_system([run("backprop", 0)])[0].test_accuracy_spread is None


def test_time_is_relative_to_the_first_system_with_the_same_seed() -> None:
    runs = [
        run("backprop", 0, seconds_per_step=0.010),
        run("mirror", 0, seconds_per_step=0.020),
        run("backprop", 1, seconds_per_step=0.030),  # the machine was busy
        run("mirror", 1, seconds_per_step=0.060),
    ]
    backprop, mirror = by_system(runs)
    assert backprop.relative_time == pytest.approx(1)
    assert mirror.relative_time == pytest.approx(2)
    assert by_system([run("backprop", 0), run("mirror", 1)])[1].relative_time is None


def test_angles_that_do_not_exist_are_none() -> None:
    nan = float("nan")
    (row,) = by_system([run("direct", 0, median_matrix_angle=None, largest_matrix_angle=nan)])
    assert row.median_matrix_angle is None
    assert row.largest_matrix_angle is None


def test_the_largest_angle_is_the_largest_of_any_seed() -> None:
    (row,) = by_system([run("a", 0, largest_matrix_angle=10.0), run("a", 1, largest_matrix_angle=14.0)])
    assert row.largest_matrix_angle == 14.0


def test_summary_is_plain_json() -> None:
    content = summary("trial", [run("backprop", 0)], status="complete", experiment={"epochs": 3})
    read = json.loads(json.dumps(content, allow_nan=False))
    assert read["status"] == "complete"
    assert read["settings"] == {"epochs": 3}
    assert read["systems"][0]["test_accuracy"] == read["runs"][0]["test_accuracy"] == 0.9


def test_figures_from_an_analysis() -> None:
    told = {
        "learning": "backprop", "seed": 3, "transports_weights": True, "test_accuracy": 0.5,
        "seconds_per_step": 0.1, "training_seconds": 2.0, "median_matrix_angle": 0.0,
    }  # fmt: skip
    figures = RunFigures.of(told, "a.h5")
    assert (figures.system, figures.file, figures.median_matrix_angle) == ("backprop", "a.h5", 0.0)
