"""The output folder: nobody's files are lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from counterstream.engine.training import ExperimentError, OutputFolder
from counterstream.engine.training.output import occupied


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
    (folder / ".counterstream.json").write_text(
        json.dumps({"files": ["../outside.txt", str(outside), 3], "folders": {"..": "*.txt", ".": "../*"}})
    )
    OutputFolder(folder, overwrite=True)
    assert outside.read_text() == "mine"


def test_a_broken_list_is_as_none(tmp_path: Path) -> None:
    (tmp_path / ".counterstream.json").write_text("{")
    assert OutputFolder(tmp_path, overwrite=True).file("run.h5") == tmp_path / "run.h5"


def test_a_folder_can_be_gone_on_with(tmp_path: Path) -> None:
    first = OutputFolder(tmp_path / "out")
    first.file("run.h5").write_text("begun")
    first.folder("checkpoints", "*.pt").mkdir()
    again = OutputFolder.begun(tmp_path / "out")
    assert again.file("run.h5").read_text() == "begun"
    assert again.folder("checkpoints", "*.pt").is_dir()
    again.file("more.h5").write_text("new")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ExperimentError, match="is not one that Counterstream wrote"):
        again.file("mine.txt")
    OutputFolder(tmp_path / "out", overwrite=True)
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."] == ["mine.txt"]


def test_only_a_folder_of_ours_can_be_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"must be the output folder of an earlier run \(it holds no"):
        OutputFolder.begun(tmp_path)


def test_overwrite_leaves_strangers_in_folders_of_ours(tmp_path: Path) -> None:
    for name, strangers in (("mixed", ["notes.txt"]), ("ours", [])):
        folder = OutputFolder(tmp_path / name).folder("checkpoints", "*.pt")
        folder.mkdir()
        for file in ("step-1.pt", *strangers):
            (folder / file).write_text("text")
        OutputFolder(tmp_path / name, overwrite=True)
        assert folder.exists() == bool(strangers)
        assert not strangers or [path.name for path in folder.iterdir()] == strangers


def test_a_folder_of_somebody_else_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ExperimentError, match="the folder is not one that Counterstream made"):
        OutputFolder(tmp_path, overwrite=True).folder("checkpoints", "*.pt")


def test_a_folder_that_became_a_link_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.pt").write_text("mine")
    OutputFolder(tmp_path / "out").folder("checkpoints", "*.pt").symlink_to(elsewhere)
    OutputFolder(tmp_path / "out", overwrite=True)
    assert (elsewhere / "a.pt").read_text() == "mine"


@pytest.mark.slow
def test_one_process_at_a_time_writes_into_a_folder(tmp_path: Path) -> None:
    """Another one is refused; once it is killed, what it began can be gone on with."""
    holding = (
        "import sys, time\n"
        "from counterstream.engine.training import OutputFolder\n"
        "OutputFolder(sys.argv[1]).file('run.h5').write_text('begun')\n"
        "print('holding', flush=True)\n"
        "time.sleep(60)\n"
    )
    folder = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", holding, folder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
        for opened in (OutputFolder.begun, lambda path: OutputFolder(path, overwrite=True)):
            with pytest.raises(ExperimentError, match=r"no other process may be writing .* \(one is\)"):
                opened(folder)
        assert (folder / "run.h5").read_text() == "begun"
        other.kill()
    assert OutputFolder.begun(folder).file("run.h5").read_text() == "begun"


def test_a_folder_that_was_only_claimed_is_empty(tmp_path: Path) -> None:
    OutputFolder(tmp_path)
    assert not occupied(tmp_path)
    OutputFolder(tmp_path).file("run.h5").write_text("new")
    assert occupied(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExperimentError, match="must be a folder"):
        OutputFolder(tmp_path / "out", overwrite=True)


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of files above all, without which nothing here could be gone on with."""
    output = OutputFolder(tmp_path)
    output.write("README.txt", "first")

    def full(path: Path, text: str, **_: object) -> None:
        path.touch()  # as opening it does
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        for name in ("README.txt", "summary.json"):
            with pytest.raises(
                ExperimentError, match=r"cannot be written \(No space left on device\)\. What there was"
            ):
                output.write(name, "second")
    assert (tmp_path / "README.txt").read_text() == "first"
    OutputFolder.begun(tmp_path).write("README.txt", "second")
    assert (tmp_path / "README.txt").read_text() == "second"
    assert not list(tmp_path.glob(".*.part"))
