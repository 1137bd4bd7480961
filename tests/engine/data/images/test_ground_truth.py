"""The files that say the classes of ImageNet's validation images."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from counterstream.cli.app import app
from counterstream.engine.data import DataError
from counterstream.engine.data.images.imagenet import ImageNet
from counterstream.engine.data.images.layout import Layout

CLASSES = ("n01", "n02", "n03")
TRUTH = ("n03", "n01", "n02", "n03")
IMAGES = tuple(f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 5))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in CLASSES:
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "1.JPEG").write_bytes(b"")
    (tmp_path / "val").mkdir()
    for image in IMAGES:
        (tmp_path / "val" / image).write_bytes(b"")
    return tmp_path


def kaggle(root: Path) -> None:
    rows = [f"{Path(image).stem},{name} 85 1 499 272 " for image, name in zip(IMAGES, TRUTH, strict=True)]
    (root / "LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *reversed(rows)]) + "\n")


def kit(root: Path) -> None:
    """As the development kit has them: numbers of its own, and groups of classes behind the classes."""
    folder = root / "ILSVRC2012_devkit_t12" / "data"
    folder.mkdir(parents=True)
    numbers = {"n02": 1, "n03": 2, "n01": 3, "n00": 1001}
    save_meta(folder, numbers)
    text = "".join(f"{numbers[name]}\n" for name in TRUTH)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(text)


def save_meta(folder: Path, numbers: dict[str, int]) -> None:
    rows = [(number, name, "words") for name, number in numbers.items()]
    synsets = np.array(rows, dtype=[("ILSVRC2012_ID", object), ("WNID", object), ("words", object)])
    savemat(folder / "meta.mat", {"synsets": synsets[:, None]})


def names(root: Path) -> None:
    (root / "val.txt").write_text("".join(f"{image} {name}\n" for image, name in zip(IMAGES, TRUTH, strict=True)))


@pytest.mark.parametrize("form", [kaggle, kit, names])
def test_every_form_says_the_same(root: Path, form: object) -> None:
    form(root)  # type: ignore[operator]
    val = Layout(root).val()
    assert [val.name(position) for position in range(4)] == list(IMAGES)
    assert [CLASSES[label] for label in val.labels] == list(TRUTH)


def test_another_file_can_be_named(root: Path) -> None:
    names(root)
    (root / "val.txt").rename(root / "classes.txt")
    assert Layout(root).val(root / "classes.txt").labels.tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{IMAGES[0]} n03\n",
            "must say the class of every validation image (got none for ILSVRC2012_val_00000002.JPEG)",
        ),
        (
            "".join(f"{image} n09\n" for image in IMAGES),
            "the class of ILSVRC2012_val_00000001.JPEG must be one that train",
        ),
        ("nonsense\n", "a line must name an image and its class (got 'nonsense')"),
        ("1\n2\n", "must have a line for each of 4 images (got 2)"),
        ("1\n2\n3\n4\n", "meta.mat: must be the meta.mat of ImageNet's development kit, for numbers say no names"),
    ],
)
def test_a_file_that_says_too_little(root: Path, text: str, message: str) -> None:
    (root / "val.txt").write_text(text)
    with pytest.raises(DataError) as error:
        Layout(root).val()
    assert message in str(error.value)


def test_a_changed_file_is_read_again(root: Path) -> None:
    names(root)
    assert Layout(root).val().labels.tolist() == [2, 0, 1, 2]
    (root / "val.txt").write_text("".join(f"{image} n01\n" for image in IMAGES))
    assert Layout(root).val().labels.tolist() == [0, 0, 0, 0]


def test_a_changed_kit_is_read_again(root: Path) -> None:
    """All is settled, so that the index is kept; what changes is what names the numbers."""
    kit(root)
    settled = 1_000_000_000
    folder = root / "ILSVRC2012_devkit_t12" / "data"
    for entry in (root / "val", *folder.iterdir()):
        os.utime(entry, (settled, settled))
    assert Layout(root).val().labels.tolist() == [2, 0, 1, 2]
    save_meta(folder, {"n03": 1, "n02": 2, "n01": 3})
    os.utime(folder / "meta.mat", (settled + 1, settled + 1))
    assert Layout(root).val().labels.tolist() == [1, 0, 2, 1]


def test_folders_of_classes_and_a_file_contradict_each_other(root: Path) -> None:
    names(root)
    (root / "val.txt").rename(root / "classes.txt")
    (root / "val" / "n01").mkdir()
    message = (
        f"{root / 'classes.txt'}: a file of classes is for images that lie in {root / 'val'} itself (got folders of "
        "classes there, such as n01, and those say them). Leave out one of them"
    )
    with pytest.raises(DataError) as error:
        Layout(root).val(root / "classes.txt")
    assert str(error.value) == message
    with pytest.raises(DataError) as error:
        ImageNet(folder=str(root), ground_truth=str(root / "classes.txt")).load()
    assert str(error.value) == message
    for command in (["pack", "-o", str(root / "new.pack")], ["check"]):
        done = CliRunner().invoke(app, ["data", *command, str(root), "--ground-truth", str(root / "classes.txt")])
        assert (str(done.exception), done.exit_code != 0) == (message, True)
