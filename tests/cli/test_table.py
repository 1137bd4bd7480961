"""`counterstream table`: runs in, a table out, in every form; and what it refuses."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from counterstream.circuits.errors import CounterstreamError
from counterstream.cli.app import app

from ..analysis.error_table.runs import run
from .commands import counterstream


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for seed in range(2):
        run(folder / f"bp{seed}.h5", seed=seed, error=30.0 + seed).close()
    run(folder / "kp.h5", learning="kolen_pollack", status="running").close()
    return folder


def invoked(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["table", *map(str, arguments)])


def test_a_folder_becomes_a_table(folder: Path) -> None:
    done = counterstream("table", folder)
    assert done.returncode == 0, done.stderr
    assert "30.5 ± 0.7 (2)" in done.stdout
    assert "Akrout et al. 2019 [p]" in done.stdout
    assert f"Left out: {folder}/kp.h5: not finished: running." in done.stdout


def test_it_is_written_in_every_form(folder: Path, tmp_path: Path) -> None:
    done = invoked(folder, "--markdown", tmp_path / "t.md", "--csv", tmp_path / "t.csv", "--json")
    assert done.exit_code == 0
    content = json.loads(done.stdout)
    assert content["figures"][0]["error"] == pytest.approx(30.5)
    assert content["left_out"] == [{"path": str(folder / "kp.h5"), "reason": "not finished: running"}]
    assert "| resnet18 | 30.5 ± 0.7 (2) |" in (tmp_path / "t.md").read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8"))))
    assert len(lines) == len(content["figures"])
    assert invoked(folder, "--csv", "-").stdout == (tmp_path / "t.csv").read_text(encoding="utf-8")


def test_without_a_finished_run_it_says_so(folder: Path) -> None:
    done = invoked(folder / "kp.h5")
    assert done.exit_code == 0
    assert "No finished run with such an accuracy" in done.stdout
    assert "not finished: running" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["gone.h5"], "gone.h5", id="no such file"),
        pytest.param(["empty"], "empty: the folder must hold recordings", id="a folder without any"),
        pytest.param(["runs", "--markdown", "gone/t.md"], "gone/t.md: cannot be written", id="no folder"),
        pytest.param(["runs", "--csv", "empty"], "empty: cannot be written", id="a folder as a file"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str) -> None:
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    error = invoked(*arguments).exception
    assert getattr(error, "exit_code", None) == 2 or isinstance(error, CounterstreamError)
    assert told in str(error)


def test_two_forms_for_stdout_are_refused(folder: Path) -> None:
    done = invoked(folder, "--csv", "-", "--json")
    assert done.exit_code == 2
    assert "choose one" in done.stderr


def test_recorded_names_do_not_steer_the_terminal(tmp_path: Path) -> None:
    run(tmp_path / "a.h5", name="\x1b]0;owned\x07", learning="\x1b[1m").close()
    for more in ([], ["--csv", "-"], ["--markdown", tmp_path / "t.md"]):
        assert "\x1b" not in invoked(tmp_path / "a.h5", *more).output
    assert "\x1b" not in (tmp_path / "t.md").read_text(encoding="utf-8")
