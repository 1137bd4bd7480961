"""`counterstream analyze` and `counterstream validate` on recordings."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import h5py
import pandas as pd
import pytest
from typer.testing import CliRunner

from counterstream.analysis import TABLES, AnalysisError
from counterstream.analysis.isolation import isolated_validation
from counterstream.cli.app import app

from .recordings import record


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("commands")
    declared = [("bp", 0, 0.0), ("bp", 1, 0.0), ("kp", 0, 40.0), ("kp", 1, 44.0)]
    paths = [
        record(folder / f"{name}{seed}.h5", learning=name, seed=seed, curve=lambda e, d, a=angle: a, epochs=2)
        for name, seed, angle in declared
    ]
    for path in paths:
        with h5py.File(path, "r+") as file:
            file["circuit"][()] = "parameters: {decay: 0.02}"
    return paths


def shown(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def test_one_run_is_shown_at_its_end(recordings: Sequence[Path]) -> None:
    text = shown("analyze", recordings[2])
    assert "kp (no weight transport) in digits, seed 0, complete; 3 snapshots" in text
    assert "test accuracy 98.00%" in text
    assert text.count("40.0°") == 5
    assert "local angle" in text


def test_several_runs_are_compared(recordings: Sequence[Path]) -> None:
    text = shown("analyze", *recordings)
    assert "40 to 44" in text
    assert "less baseline" in text
    assert "percentile bootstrap" in text


def test_json_is_json(recordings: Sequence[Path]) -> None:
    one = json.loads(shown("analyze", recordings[2], "--json"))
    assert one["summary"]["median_matrix_angle"] == pytest.approx(40, abs=1e-4)
    assert len(one["matrix_angles"]) == 5
    several = json.loads(shown("analyze", *recordings, "--json"))
    assert several["interval"]["resamples"] == 10_000
    assert {row["system"] for row in several["differences"]} == {"kp"}
    named = json.loads(shown("analyze", *recordings, "--json", "--table", "delta_angles"))
    assert len(named["delta_angles"]) == 4 * 9


def test_tables_are_written_and_figures_drawn(
    recordings: Sequence[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterstream.cli.analyze.ENDINGS", (".png",))
    shown("analyze", *recordings[1:3], "--csv", tmp_path / "tables", "--figures", tmp_path / "figures")
    assert {path.stem for path in (tmp_path / "tables").iterdir()} == {*TABLES, "comparison", "differences"}
    assert len(pd.read_csv(tmp_path / "tables/matrix_angles.csv")) == 30
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    for name in ("angles_over_training", "error_over_training", "depth_profiles", "spectra-kp"):
        assert f"{name}.png" in drawn


def test_one_table_goes_to_a_pipe(recordings: Sequence[Path]) -> None:
    lines = shown("analyze", recordings[2], "--table", "kolen_pollack", "--csv", "-").splitlines()
    assert lines[0].startswith("run,learning,seed,projection,depth")
    assert len(lines) == 16
    assert "sign_agreement" in shown("analyze", recordings[2], "--table", "sign_agreement")


def test_what_cannot_be_printed_is_refused(recordings: Sequence[Path]) -> None:
    wrong = CliRunner().invoke(app, ["analyze", str(recordings[0]), "--table", "matrix_angle"])
    assert wrong.exit_code == 2
    assert "matrix_angles" in wrong.output
    assert CliRunner().invoke(app, ["analyze", str(recordings[0]), "--csv", "-"]).exit_code == 2


def test_validate_says_whether_a_file_is_right(recordings: Sequence[Path], tmp_path: Path) -> None:
    assert shown("validate", recordings[0]) == f"{recordings[0]}: a valid recording\n"
    path = tmp_path / "wrong.h5"
    path.write_bytes(recordings[0].read_bytes())
    with h5py.File(path, "r+") as file:
        del file["synapses/image->v1/weights"].attrs["role"]
    done = CliRunner().invoke(app, ["validate", str(path)])
    assert done.exit_code == 2
    assert "/synapses/image->v1/weights: attribute 'role' must be there, text" in done.stdout
    path.write_text("none")
    with pytest.raises(AnalysisError, match="not an HDF5 file"):
        isolated_validation(path)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (subprocess.CompletedProcess([], -signal.SIGSEGV, "", ""), "must survive it (got signal 11)"),
        (subprocess.CompletedProcess([], 1, "", "MemoryError"), "must come to its end (got MemoryError)"),
        (subprocess.TimeoutExpired([], 3), "must come to an end with it (got none within 3 s)"),
    ],
)
def test_a_library_that_crashes_or_hangs_is_a_problem_of_the_file(
    monkeypatch: pytest.MonkeyPatch, outcome: object, told: str
) -> None:
    def run(*arguments: object, **options: object) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("counterstream.analysis.isolation.subprocess.run", run)
    assert [told in str(problem) for problem in isolated_validation("x.h5", seconds=3)] == [True]
