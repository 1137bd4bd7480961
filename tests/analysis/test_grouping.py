"""Which runs are put together, set beside each other and counted: by tables, figures and the command line alike."""

import json
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from counterstream.analysis import Run, by_system, comparison, differences, local_angles, table
from counterstream.analysis import weight_mirror_theory as mirror
from counterstream.cli.app import app

from .recordings import record


def made(path: Path, *, circuit: str = "small", experiment: str = "name: e", **more: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    record(path, curve=lambda epoch, depth: 40.0, epochs=2, **more)  # type: ignore[arg-type]
    with h5py.File(path, "r+") as file:
        file.attrs["circuit_name"] = circuit
        file["circuit"][()] = f"name: {circuit}\n"
        file["experiment"][()] = experiment
    return path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """One learning system in two circuits, in files of one name; another in the second, less accurate by 0.1."""
    return [
        made(tmp_path / "a" / "r.h5", accuracy=0.5),
        made(tmp_path / "b" / "r.h5", circuit="large", accuracy=0.9),
        made(tmp_path / "c.h5", circuit="large", learning="weight_mirror", accuracy=0.8),
    ]


def ended_early(path: Path) -> Path:
    with h5py.File(path, "r+") as file:
        file.attrs["status"] = "running"
    return path


def test_circuits_part_runs_and_names_say_so(paths: list[Path]) -> None:
    grouped = by_system([Run.open(path) for path in paths])
    assert list(grouped) == ["kolen_pollack, small", "kolen_pollack, large", "weight_mirror, large"]


def test_experiments_part_runs(tmp_path: Path) -> None:
    runs = [Run.open(made(tmp_path / f"{name}.h5", experiment=f"name: {name}")) for name in "ab"]
    assert list(by_system(runs)) == ["kolen_pollack, a", "kolen_pollack, b"]


def test_differences_stay_within_circuit_and_settings(paths: list[Path]) -> None:
    grouped = by_system([Run.open(path) for path in paths])
    apart = differences(grouped)
    assert set(zip(apart["system"], apart["baseline"], strict=True)) == {
        ("weight_mirror, large", "kolen_pollack, large")
    }
    row = apart.set_index("quantity").loc["test_accuracy"]
    assert (bool(row["paired"]), row["difference"]) == (True, pytest.approx(-0.1))
    named = differences(grouped, "kolen_pollack, small").set_index(["system", "quantity"])
    assert not named.loc[("weight_mirror, large", "test_accuracy")]["paired"]


def test_what_is_incomplete_or_given_twice_does_not_count(tmp_path: Path) -> None:
    whole = made(tmp_path / "whole.h5", accuracy=0.9)
    killed = ended_early(made(tmp_path / "killed.h5", accuracy=0.1, seed=1))
    grouped = by_system([Run.open(path) for path in (whole, killed, whole)])
    assert [run.path.name for run in grouped["kolen_pollack"]] == ["whole.h5", "killed.h5"]
    compared = comparison(grouped)
    row = compared.set_index("quantity").loc["test_accuracy"]
    assert (row["runs"], row["mean"]) == (1, 0.9)
    assert compared.attrs["left_out"] == [str(killed)]
    shown = CliRunner().invoke(app, ["analyze", str(whole), str(killed), str(whole)])
    assert "killed.h5: running; left out of the means" in shown.output
    assert "3 files were named, 2 of them different" in shown.output


def test_tables_name_files_as_far_as_it_takes(paths: list[Path]) -> None:
    found = table("metrics", [Run.open(path) for path in (*paths, paths[0])])
    assert found["run"].unique().tolist() == [str(Path("a", "r.h5")), str(Path("b", "r.h5")), "c.h5"]
    assert found["circuit"].unique().tolist() == ["small", "large"]
    assert "experiment" not in found.columns


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_weights_and_results_that_are_not_finite_are_null(paths: list[Path]) -> None:
    with h5py.File(paths[0], "r+") as file:
        file["synapses/pooled->digit/weights"][-1] = np.inf
        file["results"].attrs["test_accuracy"] = np.inf
    for arguments in (paths[:1], paths, [paths[0], "--table", "matrix_angles"]):
        done = CliRunner().invoke(app, ["analyze", *map(str, arguments), "--json"])
        assert done.exit_code == 0, done.exception
        assert "Infinity" not in json.dumps(json.loads(done.stdout))


@pytest.mark.parametrize("option", ["--csv", "--figures"])
def test_a_folder_that_cannot_be_written_is_named(paths: list[Path], option: str) -> None:
    done = CliRunner().invoke(app, ["analyze", str(paths[0]), option, str(paths[1])])
    assert getattr(done.exception, "exit_code", None) == 2
    assert str(paths[1]) in str(done.exception)
    assert CliRunner().invoke(
        app, ["analyze", str(paths[0]), "--table", "metrics", "--csv", "-", "--json"]
    ).exit_code == 2  # fmt: skip


def test_recorded_names_do_not_steer_the_terminal(paths: list[Path]) -> None:
    with h5py.File(paths[0], "r+") as file:
        file.attrs["learning"] = "\x1b]0;owned\x07"
    for more in ([], ["--table", "metrics", "--csv", "-"], [str(paths[1])]):
        shown = CliRunner().invoke(app, ["analyze", str(paths[0]), *more]).output
        assert "\x1b" not in shown
        assert "\\x1b]0;owned\\x07" in shown


def test_local_angles_of_constants_are_told_apart(paths: list[Path]) -> None:
    """v1 hears its partner's error through weights, stage1.block1 through a one-to-one wiring alone."""
    with h5py.File(paths[0], "r+") as file:
        file["circuit"][()] = (
            "populations: {v1: {}, stage1.block1: {}, top: {}, v1~: {partner: v1}, s~: {partner: stage1.block1}}\n"
            "projections:\n"
            "- {name: f, from: v1, to: top, wiring: {conv: {kernel: 3}}}\n"
            "- {from: top~, to: v1~, reverse_of: f}\n"
            "- {name: g, from: stage1.block1, to: top, wiring: one_to_one}\n"
            "- {from: top~, to: s~, reverse_of: g}\n"
        )
    with Run.open(paths[0]) as run:
        assert set(local_angles(run, weighted=True)["population"]) == {"v1"}
        assert len(set(local_angles(run)["population"])) == 3


def test_weights_are_not_read_where_theory_says_nothing(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("weights were read")

    with Run.open(paths[0]) as run:
        monkeypatch.setattr(run, "stream", refuse)
        found = mirror(run)
        assert len(found) == 15
        assert all(math.isnan(angle) for angle in found["angle_degrees"])
        assert found["reason"].str.contains("does not learn in a mode").all()
