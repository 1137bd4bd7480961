"""`counterstream report`: from recordings and folders to a page; never over somebody's file."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from counterstream.circuits.errors import CounterstreamError
from counterstream.circuits.expansion import expand
from counterstream.circuits.writing import dump
from counterstream.cli.app import app
from counterstream.engine.recorder import About, Alignment, Metrics, Recorder
from counterstream.models.library import load

from .commands import counterstream


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs in a stock circuit, as an experiment leaves them."""
    folder = tmp_path_factory.mktemp("runs")
    for learning, transports in (("backprop", True), ("kolen_pollack", False)):
        circuit = dump(expand(load("lenet", learning=learning)))
        about = About(circuit=circuit, circuit_name="lenet", learning=learning, seed=0, transports_weights=transports)
        recorder = Recorder(folder / f"{learning}-seed0.h5", about)
        recorder.enrol(Alignment(projections={"a->b": "a->b~"}, populations=["b"]), Metrics(["loss"]))
        with recorder.prepare():
            recorder.write(step=0, epoch=0.0, alignment={"matrix_angle": {"a->b": 80.0}}, metrics={"loss": 2.0})
            recorder.write(step=9, epoch=1.0, alignment={"matrix_angle": {"a->b": 40.0}}, metrics={"loss": 1.0})
    return folder


def test_a_folder_becomes_a_page(folder: Path, tmp_path: Path) -> None:
    done = counterstream("report", folder, "-o", "deep/report.html", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Written to deep/report.html (2 runs, ")
    page = (tmp_path / "deep" / "report.html").read_text(encoding="utf-8")
    assert "<svg xmlns" in page  # the circuits, drawn
    assert "weights are shared over positions" in page  # and judged
    assert "does not hold" not in page
    assert page.count("kolen_pollack-seed0.h5") == 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["report.html"]


def invoked(*arguments: object) -> Any:
    """The command in this process."""
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_an_earlier_report_is_replaced_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    run, page = folder / "backprop-seed0.h5", tmp_path / "report.html"
    page.write_text("my own notes", encoding="utf-8")
    refused = invoked(run, "-o", page).exception
    assert isinstance(refused, CounterstreamError)
    assert "report.html: this file is no report." in str(refused)
    assert page.read_text(encoding="utf-8") == "my own notes"
    for more in (["--overwrite"], []):
        done = invoked(run, run, "-o", page, *more)
        assert done.exit_code == 0
        assert "(1 run, " in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["gone.h5"], "gone.h5", id="no such file"),
        pytest.param(["."], ".: the folder must hold recordings", id="a folder without any"),
        pytest.param(["gone.h5", "-o", "report.pdf"], "name must end in .html (got '.pdf')", id="another format"),
        pytest.param(["gone.h5", "-o", "folder.html"], "must be a file (got a folder)", id="a folder"),
        pytest.param(["text"], "text", id="no recording"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("no HDF5", encoding="utf-8")
    Path("folder.html").mkdir()
    error = invoked(*arguments).exception
    assert getattr(error, "exit_code", None) == 2
    assert told in str(error)
    assert not Path("report.html").exists()


def test_a_circuit_of_another_time_is_reported_as_it_stands(tmp_path: Path) -> None:
    about = About(circuit="format: 99\nneurons: many\n", circuit_name="old", learning="own", seed=0)
    with Recorder(tmp_path / "old.h5", about).enrol(Metrics(["loss"])).prepare() as recorder:
        recorder.write(step=0, epoch=0.0, metrics={"loss": 2.0})
    assert invoked(tmp_path, "-o", tmp_path / "report.html").exit_code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The recorded circuit could be neither drawn nor judged" in page
    assert "neurons: many" in page
