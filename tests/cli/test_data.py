"""`counterstream data`, as a user meets it."""

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from counterstream.cli.app import app

from .commands import counterstream

FEW = ("--classes", 2, "--train", 2, "--val", 1, "--size", 16, "--workers", 1)


@pytest.mark.parametrize("name", ["fractals", "sheet", "pack", "check"])
def test_every_help_shows_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, ["data", name, "-h"])
    assert shown.exit_code == 0
    assert f"counterstream data {name} " in shown.output.split("Example:")[1]


def test_fractals_and_a_sheet_of_them(tmp_path: Path) -> None:
    made = counterstream("data", "fractals", tmp_path / "f", *FEW)
    assert made.returncode == 0
    assert f"{tmp_path / 'f'}: 6 images of 2 classes" in made.stdout
    again = CliRunner().invoke(app, ["data", "fractals", str(tmp_path / "f"), *map(str, FEW)])
    assert "(6 of them were there)" in again.output
    proposed = made.stdout.strip().splitlines()[-1].split()
    assert proposed[:3] == ["counterstream", "data", "sheet"]
    shown = CliRunner().invoke(app, [*proposed[1:-1], str(tmp_path / "sheet.png")])
    assert shown.output.startswith(f"{tmp_path / 'sheet.png'}: 4 images")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size[1] == 2 * 100


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    done = counterstream("data", "fractals", tmp_path, *FEW)
    assert (done.returncode, "must be empty" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_sheet_of_nothing_is_refused(tmp_path: Path) -> None:
    done = counterstream("data", "sheet", tmp_path, "-o", tmp_path / "x.png")
    assert done.returncode == 2
    assert "must hold a folder of images for each class (got none)" in done.stderr


def test_a_sheet_marks_what_is_bad(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    CliRunner().invoke(app, ["data", "fractals", str(folder), *map(str, FEW)])
    (folder / "train/f0000/f0000_0.JPEG").write_bytes(b"")
    done = CliRunner().invoke(app, ["data", "sheet", str(folder), "-o", str(tmp_path / "x.png")])
    assert done.exit_code == 0
    assert "x.png: 3 images" in done.output
    assert f"1 could not be decoded and are marked so: `counterstream data check {folder}`" in done.output


def test_a_list_that_cannot_be_written_is_told_before_anything_is_looked_at(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "check", str(tmp_path), "-o", str(tmp_path / "none/bad.txt")])
    assert str(done.exception) == f"{tmp_path / 'none/bad.txt'}: the list must be written (No such file or directory)"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none/x.png", "the sheet cannot be written (No such file or directory)"),
        ("x.nothing", "Give it a name such as"),
    ],
)
def test_a_sheet_that_cannot_be_written(tmp_path: Path, name: str, says: str) -> None:
    folder = tmp_path / "f"
    CliRunner().invoke(app, ["data", "fractals", str(folder), *map(str, FEW)])
    done = CliRunner().invoke(app, ["data", "sheet", str(folder), "-o", str(tmp_path / name)])
    assert says in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2


def test_pack_and_check(tmp_path: Path) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["data", *map(str, arguments)])
        return done.exit_code, f"{done.output}{done.exception or ''}"

    folder, packed = tmp_path / "f", tmp_path / "f.pack"
    run("fractals", folder, *FEW)
    code, text = run("pack", folder, "-o", packed, "--workers", 1)
    assert (code, text.splitlines()[0].startswith(f"{packed}: 6 images, 0.0 MB")) == (0, True)
    assert f"data: {{imagenet: {{packed: {packed}}}}}" in text
    assert run("check", packed, "--workers", 1)[1].startswith(f"{packed}: 6 images of 2 classes, 0 bad")
    bad = folder / "train" / "f0001" / "f0001_1.JPEG"
    bad.write_bytes(b"")
    code, text = run("check", folder, "-o", tmp_path / "bad.txt", "--workers", 1)
    assert (code, "bad: train/f0001/f0001_1.JPEG (the file is empty)" in text) == (1, True)
    assert f"data: {{imagenet: {{folder: {folder}, exclude: {tmp_path / 'bad.txt'}}}}}" in text
    assert (tmp_path / "bad.txt").read_text() == "train/f0001/f0001_1.JPEG\tthe file is empty\n"
    code, text = run("pack", folder, "-o", tmp_path / "g.pack", "--workers", 1, "--corrupt", "skip")
    assert (code, f"left out: {bad} (the file is empty)" in text) == (0, True)
