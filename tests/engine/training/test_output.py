"""The output folder: nobody's files are lost."""

import json
from pathlib import Path

import pytest

from counterstream.engine.training import ExperimentError, OutputFolder


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    OutputFolder(tmp_path / "a" / "b").file("run.h5").write_text("new")
    assert (tmp_path / "a/b/run.h5").read_text() == "new"


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert OutputFolder(tmp_path).file("run.h5") == tmp_path / "run.h5"


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExperimentError, match=r"must be empty .* --output, or .* --overwrite"):
        OutputFolder(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_overwrite_removes_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    first = OutputFolder(tmp_path)
    for name in ("old.h5", "summary.json"):
        first.file(name).write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "other.h5").write_text("mine")
    second = OutputFolder(tmp_path, overwrite=True)
    second.file("summary.json").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        "notes.txt",
        "other.h5",
        "summary.json",
    ]


def test_overwrite_never_takes_a_file_that_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("mine")
    output = OutputFolder(tmp_path, overwrite=True)
    with pytest.raises(ExperimentError, match="is not one that Counterstream wrote"):
        output.file("summary.json")
    assert (tmp_path / "summary.json").read_text() == "mine"


def test_a_forged_list_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".counterstream.json").write_text(json.dumps({"files": ["../outside.txt", str(outside), 3]}))
    OutputFolder(folder, overwrite=True)
    assert outside.read_text() == "mine"


def test_a_broken_list_is_as_none(tmp_path: Path) -> None:
    (tmp_path / ".counterstream.json").write_text("{")
    assert OutputFolder(tmp_path, overwrite=True).file("run.h5") == tmp_path / "run.h5"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExperimentError, match="must be a folder"):
        OutputFolder(tmp_path / "out", overwrite=True)
