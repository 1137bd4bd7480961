"""ImageNet's layout: which files, in which order, of which classes; and what is said where a folder is none."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from counterstream.engine.data import DataError
from counterstream.engine.data.images.layout import Layout


def touch(root: Path, *names: str) -> Path:
    """Empty files: an index looks at names alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def names(index: object) -> list[str]:
    return [index.name(position) for position in range(len(index))]  # type: ignore[attr-defined, arg-type]


def test_classes_and_files_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "train/b/2.JPEG", "train/b/1.png", "train/a/ü.jpg", "train/a/x y.Jpg", "train/a/notes.txt")
    touch(tmp_path, "train/.hidden/1.jpg", "train/a/.1.jpg", "val/b/9.jpg", "LICENSE")
    layout = Layout(tmp_path)
    assert layout.classes == ("a", "b")
    train = layout.train()
    assert names(train) == ["a/x y.Jpg", "a/ü.jpg", "b/1.png", "b/2.JPEG"]
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert train.path(1) == tmp_path / "train" / "a" / "ü.jpg"
    assert (names(layout.val()), layout.val().labels.tolist()) == (["b/9.jpg"], [1])


def test_names_that_are_no_text(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path / "train" / "a") + b"/\xff.jpg"
    touch(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    with open(raw, "wb"):
        pass
    train = Layout(tmp_path).train()
    assert os.fsencode(train.path(1)) == raw


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["train/a/1.jpg"], "must be a folder in ImageNet's layout, with train/CLASS/*.JPEG and val/CLASS/*.JPEG "
                            "(got no folder val in it)"),
        (["val/a/1.jpg"], "(got no folder train in it)"),
        (["train/1.jpg", "val/a/1.jpg"], "train: must hold a folder of images for each class (got none)"),
        (["train/a/1.txt", "val/a/1.jpg"], "a: a class must have an image to train on (got no file that ends in one of "
                                           ".jpeg, .jpg, .png"),
        (["train/apple/1.jpg", "val/aple/1.jpg"], "aple: must be a class that train has. Did you mean 'apple'?"),
        (["train/a/1.jpg", "val/a/1.txt"], "val: must hold images (got no file"),
        (["train/a/1.jpg", "val/1.jpg"], "val: must hold a folder for each class, or all images and beside it a file "
                                         "that says their classes (got neither). Looked for LOC_val_solution.csv, "),
    ],
)  # fmt: skip
def test_what_is_no_such_folder(tmp_path: Path, files: list[str], message: str) -> None:
    touch(tmp_path, *files)

    def read() -> None:
        layout = Layout(tmp_path)
        layout.train()
        layout.val()

    with pytest.raises(DataError) as error:
        read()
    assert message in str(error.value)
    assert str(tmp_path) in str(error.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    (tmp_path / "train/a").chmod(0)
    with pytest.raises(DataError, match="a: the folder must be readable"):
        Layout(tmp_path).train()


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.jpg", "val/a/1.jpg")
    layout = Layout(tmp_path)
    shutil.rmtree(tmp_path / "train")
    with pytest.raises(DataError, match=r"train: the folder must be readable \(No such file or directory\)"):
        layout.train()


def test_an_index_is_handed_on_by_name(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/a/{i:05d}.jpg" for i in range(500)), "val/a/1.jpg")
    train = Layout(tmp_path).train()
    handed = pickle.dumps(train)
    assert len(handed) < 500
    assert names(pickle.loads(handed)) == names(train)


def test_labels_follow_the_classes_of_train(tmp_path: Path) -> None:
    """Nothing in val has changed, but b has another label."""
    touch(tmp_path, "train/b/1.jpg", "val/b/1.jpg")
    changed = 1_000_000_000
    for folder in ("train", "train/b", "val", "val/b"):  # settled, so that the index is kept
        os.utime(tmp_path / folder, (changed, changed))
    assert Layout(tmp_path).val().labels.tolist() == [0]
    touch(tmp_path, "train/a/1.jpg")
    assert Layout(tmp_path).val().labels.tolist() == [1]


def test_a_class_by_place_counts_what_is_left_out(tmp_path: Path) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    synsets = np.array([(1, "a"), (2, "b")], [("ILSVRC2012_ID", "i4"), ("WNID", object)])
    touch(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/1.jpg", "val/2.jpg", "val/3.jpg")
    savemat(tmp_path / "meta.mat", {"synsets": synsets[:, None]})
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n1\n2\n")
    (tmp_path / "bad.txt").write_text("val/2.jpg\tit is empty\n")
    val = Layout(tmp_path, tmp_path / "bad.txt").val()
    assert (names(val), val.labels.tolist()) == (["1.jpg", "3.jpg"], [0, 1])
